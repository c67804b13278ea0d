/** Hashes and keys derived from passwords, deterministically: each run yields the same. */
import { createHash, createHmac, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { hash } from "@node-rs/bcrypt";

/**
 * 2^10 rounds take about 50 ms of CPU: for each password at each run, in a worker thread, and on a server for each
 * login of a client, again at each reload. A cost of 11 would double that.
 */
const BCRYPT_COST = 10;
const SALT_BYTES = 16;

/**
 * The bcrypt hash of a user's password. The same password of the same user always has the same hash, so that an update
 * without a change shows none. A password that is a bcrypt hash already is returned as it is.
 *
 * So the salt can't be random. It differs by user and by stack, so that one table of precomputed hashes doesn't serve
 * for all; it isn't secret, and doesn't depend on the password. It is derived from the stack's owner, which the state
 * keeps: all checkouts and machines that share the state use the same salt.
 *
 * @param owner `ownershipOf(…).label.value`.
 */
export function hashPassword(
  password: string,
  owner: string,
  account: string,
  user: string,
): Promise<string> {
  if (isHash(password)) return Promise.resolve(password);
  const digest = createHash("sha256")
    .update(JSON.stringify([owner, account, user]))
    .digest();
  return hash(password, { cost: BCRYPT_COST, salt: digest.subarray(0, SALT_BYTES) });
}

/** Whether nats-server treats the text as a bcrypt hash of a password (2.15, `isBcrypt` in auth.go). */
export function isHash(password: string): boolean {
  return /^\$2[abxy]\$\d{2}\$/.test(password);
}

/** bcrypt ignores all bytes after these. */
export const MAX_PASSWORD_BYTES = 72;

const KEY_BYTES = 32;

/**
 * Derives the key from which the stack's own users get their seeds. It uses scrypt, because the public keys are in the
 * servers' config: guessing the password from them must be as slow as from its bcrypt hash.
 *
 * @returns base64; a secret.
 */
export async function managerKey(systemPassword: string, owner: string): Promise<string> {
  const key = await promisify<string, string, number, Buffer>(scrypt)(
    systemPassword,
    `nats-regions ${owner}`,
    KEY_BYTES,
  );
  return key.toString("base64");
}

/**
 * Identifies an encryption key in labels of containers, which everybody on the engine can read: a guess takes a scrypt.
 *
 * @param owner see `Identity.owner`: other stacks with the same key have other marks.
 * @returns 16 hexadecimal digits.
 */
export async function encryptionKeyMark(encryptionKey: string, owner: string): Promise<string> {
  const mark = await promisify<string, string, number, Buffer>(scrypt)(
    encryptionKey,
    `nats-regions encryption ${owner}`,
    8,
  );
  return mark.toString("hex");
}

/**
 * A fingerprint that changes if and only if the key or the facts change. It reveals neither: testing a guess of the
 * password takes one `managerKey` for each guess.
 *
 * @param key `managerKey(…)`.
 * @param facts any JSON value.
 * @returns 16 hexadecimal digits.
 */
export function fingerprint(key: string, facts: unknown): string {
  return createHmac("sha256", key).update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}
