/** What certificates say, and when they are renewed. Times are milliseconds since 1970, or RFC 3339. */
import { countOf } from "../base/wording.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From when to when a certificate holds, RFC 3339. */
export interface Validity {
  readonly validFrom: string;
  readonly validUntil: string;
}

/** Of the authority. Its key stays when it is renewed: nodes trust what it signed before and after. */
export const AUTHORITY_LIFETIME = 3650 * DAY;

/**
 * A node whose clock is a little behind takes a new certificate, too. To be kept: lifetimes of certificates that are
 * there are told by it.
 */
const CLOCK_SKEW = 5 * MINUTE;

/** The validity of what is issued now, to the second, as certificates have it. */
export function validityFrom(now: number, lifetime: number): Validity {
  const at = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;
  return { validFrom: at(now - CLOCK_SKEW), validUntil: at(now + lifetime) };
}

/** Milliseconds that a certificate was issued for: what {@link validityFrom} was told, to the second. */
export function lifetimeOf({ validFrom, validUntil }: Validity): number {
  return Date.parse(validUntil) - Date.parse(validFrom) - CLOCK_SKEW;
}

/** Of a year's certificate 30 days are left to renew it in, of a shorter one a third of its time. */
const RENEWAL_PERIOD = 30 * DAY;

/** Whether a node's certificate is to be renewed by the next `up`. */
export function isDue(validUntil: string, lifetime: number, now: number): boolean {
  return Date.parse(validUntil) - now < Math.min(lifetime / 3, RENEWAL_PERIOD);
}

/** The authority is renewed while it still outlasts every certificate that it may sign. */
export function isAuthorityDue(validUntil: string, now: number): boolean {
  return Date.parse(validUntil) - now < AUTHORITY_LIFETIME / 3;
}

/** `expires in 20 days`, `expires in 3 hours`, `has expired`. */
export function describeExpiry(validUntil: string, now: number): string {
  const left = Date.parse(validUntil) - now;
  if (left <= 0) return "has expired";
  const [count, unit] =
    left >= 2 * DAY
      ? [left / DAY, "day"]
      : left >= 2 * HOUR
        ? [left / HOUR, "hour"]
        : [left / MINUTE, "minute"];
  return `expires in ${countOf(Math.floor(count as number), unit as string)}`;
}

/** A node, as far as its certificate names it. */
export interface NamedNode {
  readonly name: string;
  readonly containerName: string;
}

export interface Addresses {
  readonly bindAddress: string;
  readonly monitorAddress: string;
  readonly certificateNames: readonly string[];
}

const EVERYWHERE = "0.0.0.0";

/**
 * The names and addresses that a node goes by: in the network its name, which routes use, and its
 * container's; on the engine's host loopback and what its ports are published on. `localhost` is also what
 * the NATS client of Node.js checks where it knows an address only.
 */
export function certificateNames(
  { name, containerName }: NamedNode,
  { bindAddress, monitorAddress, certificateNames: more }: Addresses,
): string[] {
  const published = [bindAddress, monitorAddress].filter((address) => address !== EVERYWHERE);
  const names = [name, containerName, "localhost", "127.0.0.1", ...published, ...more];
  return [...new Set(names.map(canonicalName))];
}

/**
 * A name or address as there is but one of it: an IPv6 address is written in many ways, `2001:db8::1`, in a certificate
 * `2001:DB8:0:0:0:0:0:1`, and not all of them are understood where certificates are made (`::ffff:10.0.0.5`).
 */
export function canonicalName(name: string): string {
  const url = `http://[${name}]`;
  return name.includes(":") && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : name;
}
