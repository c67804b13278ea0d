/** Host names and IP addresses. */
import { z } from "zod";

const HOST_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** Whether a text has the form of a host name. IPv4 addresses have it as well. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

const address = z.union([z.ipv4(), z.ipv6()]);

/** Whether a name is an IP address, which certificates keep apart from host names. */
export function isAddress(name: string): boolean {
  return address.safeParse(name).success;
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether an IPv4 address is a loopback address. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}
