import { createHash } from "node:crypto";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 8;

/**
 * The id of a server in the meta group. It is derived from the server's name alone (nats-server 2.15, `getHash` in
 * server/events.go), so it also identifies a member whose name the other members don't know.
 */
export function peerId(serverName: string): string {
  const hash = createHash("sha256").update(serverName).digest().subarray(0, LENGTH);
  return Array.from(hash, (byte) => DIGITS[byte % DIGITS.length]).join("");
}
