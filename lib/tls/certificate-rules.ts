/** Validity, renewal and names of certificates. Times are milliseconds since 1970, or RFC 3339 as text. */
import { canonicalName, isEverywhere } from "../base/addresses.ts";
import { countOf } from "../base/wording.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The period in which a certificate is valid, RFC 3339. */
export interface Validity {
  readonly validFrom: string;
  readonly validUntil: string;
}

/**
 * Milliseconds that the authority's certificate is valid. A renewal keeps its key, so that nodes trust certificates
 * signed before and after it.
 */
export const AUTHORITY_LIFETIME = 3650 * DAY;

/**
 * Certificates become valid 5 minutes before they are issued, for nodes whose clocks are slow. Never change this:
 * {@link lifetimeOf} subtracts it from certificates that are already issued.
 */
export const CLOCK_SKEW = 5 * MINUTE;

/** The validity of a certificate that is issued now, in whole seconds, as certificates have it. */
export function validityFrom(now: number, lifetime: number): Validity {
  const at = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;
  return { validFrom: at(now - CLOCK_SKEW), validUntil: at(now + lifetime) };
}

/** The lifetime that {@link validityFrom} was given for a certificate: milliseconds, to the second. */
export function lifetimeOf({ validFrom, validUntil }: Validity): number {
  return Date.parse(validUntil) - Date.parse(validFrom) - CLOCK_SKEW;
}

/** A certificate is due for renewal this long before it expires, or at a third of its lifetime if that is shorter. */
const RENEWAL_PERIOD = 30 * DAY;

/** Whether the next `up` renews a node's certificate. */
export function isDue(validUntil: string, lifetime: number, now: number): boolean {
  return Date.parse(validUntil) - now < Math.min(lifetime / 3, RENEWAL_PERIOD);
}

/** Whether the authority is to be renewed. It is while it still outlasts every certificate that it may sign. */
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

/** The names of a node that its certificate must have. */
export interface NamedNode {
  readonly name: string;
  readonly containerName: string;
}

export interface Addresses {
  readonly bindAddress: string;
  readonly monitorAddress: string;
  /** Further ones by which it is reached: that of its machine, and that which clients are told. */
  readonly addresses: readonly string[];
  readonly certificateNames: readonly string[];
  /** Set if clients are shown another certificate. */
  readonly clientTls?: object;
}

/**
 * By this name the stack itself asks a node for its own certificate, where the node has another one for clients. No
 * authority but the stack's issues it, as nobody can own a name under `.internal`.
 */
export const STACK_SERVER_NAME = "stack.nats-regions.internal";

/**
 * The names and addresses by which a node is reached: in the network its name, which routes use, and that of its
 * container; on the engine's host loopback, and the addresses on which its ports are published. The NATS client of
 * Node.js checks for `localhost` if it knows only an address. With a certificate of their own for clients, nodes show this
 * one to those who ask for {@link STACK_SERVER_NAME}.
 */
export function certificateNames(
  { name, containerName }: NamedNode,
  { bindAddress, monitorAddress, addresses, certificateNames: more, clientTls }: Addresses,
): string[] {
  const published = [bindAddress, monitorAddress]
    .map((each) => (each === "::" ? "::1" : each))
    .filter((each) => !isEverywhere(each));
  const names = [
    name,
    containerName,
    "localhost",
    "127.0.0.1",
    ...published,
    ...addresses,
    ...more,
    ...(clientTls === undefined ? [] : [STACK_SERVER_NAME]),
  ];
  return [...new Set(names.map(canonicalName))];
}
