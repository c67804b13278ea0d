/** Host names and IP addresses. */
import { z } from "zod";
import { quoteValue } from "./wording.ts";

const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** Whether a text has the form of a host name. IPv4 addresses have it as well. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

const ipv4 = z.ipv4();
const address = z.union([ipv4, z.ipv6()]);

/** Whether a name is an IP address, which certificates keep apart from host names. One with a zone, `%eth0`, is none. */
export function isAddress(name: string): boolean {
  return address.safeParse(name).success;
}

/**
 * Whether a text is an IP address or a host name. One that ends in a number is an address, or none: `127.1` would be
 * taken for one by some.
 */
export function isHost(text: string): boolean {
  return isAddress(text) || (isHostName(text) && !/(^|\.)(\d+|0x[0-9a-f]*)$/i.test(text));
}

/** Whether an IP address is one of IPv6. */
export function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** A host as in a URL or a list of ports, there an IPv6 address has brackets, without them. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return isIpv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The canonical spelling of a host name or IP address. An IPv6 address has several, e.g. `2001:db8::1` and, in
 * certificates, `2001:DB8:0:0:0:0:0:1`; the library that issues certificates doesn't accept all (`::ffff:10.0.0.5`).
 */
export function canonicalName(name: string): string {
  const url = `http://[${name}]`;
  return isIpv6(name) && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : name;
}

const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The IPv4 address that an IPv6 address stands for, e.g. `::ffff:127.0.0.1`; undefined if it stands for itself. */
export function mappedIpv4(address: string): string | undefined {
  const [, ...halves] = canonicalName(address).match(MAPPED) ?? [];
  if (halves.length === 0) return undefined;
  const bytes = halves.map((half) => Number.parseInt(half, 16)).flatMap((n) => [n >> 8, n & 0xff]);
  return bytes.join(".");
}

function plainAddress(address: string): string {
  return mappedIpv4(address) ?? canonicalName(address);
}

/** Whether a name means the machine itself (RFC 6761). */
export function isLocalName(name: string): boolean {
  return /(^|\.)localhost$/i.test(name);
}

/** Whether an address, in any spelling, is a loopback address. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || (plain.startsWith("127.") && ipv4.safeParse(plain).success);
}

/**
 * Whether ports on an address are on all addresses of a machine of its kind, `0.0.0.0` or `::`. Docker (20.10) takes `::`
 * for those of IPv6 alone.
 */
export function isEverywhere(address: string): boolean {
  return ["0.0.0.0", "::"].includes(plainAddress(address));
}

/** The address to connect to, on the same machine. Ports on all addresses are reached on loopback. */
export function reachedHere(address: string): string {
  if (!isEverywhere(address)) return address;
  return isIpv6(address) ? "::1" : "127.0.0.1";
}

/** Whether an address means something on one link only, e.g. `fe80::1`: others can't connect to it without a zone. */
export function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/.test(plainAddress(address)) && isAddress(address);
}

const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|f[cd][0-9a-f]{2}:)/;

/** Whether an address is of a private network (RFC 1918, RFC 4193). */
export function isPrivate(address: string): boolean {
  return isAddress(address) && PRIVATE.test(plainAddress(address));
}

/** Whether two canonical addresses have an address in common, so that both can't have the same port. */
export function overlap(one: string, other: string): boolean {
  if (one === other) return true;
  return [one, other].some(isEverywhere) && isIpv6(one) === isIpv6(other);
}

/** The reason against an IPv4 address in IPv6's spelling, which not all take for the same. */
export function mappedFault(address: string): string {
  return `${quoteValue(address)} is an IPv4 address in another spelling: write ${mappedIpv4(address)}`;
}

/** An IP address without a zone, in its canonical spelling. */
export const addressSchema = z
  .string()
  .meta({ pattern: "^[0-9A-Fa-f:.]*[:.][0-9A-Fa-f:.]*$" })
  .refine(isAddress, {
    error: ({ input }) => `${quoteValue(input)} is not an IP address, e.g. 127.0.0.1 or ::1`,
  })
  .refine((address) => mappedIpv4(address) === undefined, {
    error: ({ input }) => mappedFault(`${input}`),
  })
  .transform(canonicalName);
