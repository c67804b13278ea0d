import { createHash } from "node:crypto";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 8;

/**
 * The id that a server goes by in the meta group: it follows from its name alone (nats-server 2.15,
 * `getHash` in server/events.go), and so names a member whose name the others have never heard.
 */
export function peerId(serverName: string): string {
  const hash = createHash("sha256").update(serverName).digest().subarray(0, LENGTH);
  return Array.from(hash, (byte) => DIGITS[byte % DIGITS.length]).join("");
}
