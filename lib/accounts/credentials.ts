/** What becomes of passwords: hashes and keys that are the same at each run. */
import { createHash, createHmac, createPrivateKey, createPublicKey, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { Codec } from "@nats-io/nkeys/lib/codec.js";
import { Prefix } from "@nats-io/nkeys/lib/nkeys.js";
import { hash } from "@node-rs/bcrypt";

/**
 * 2^10 rounds: some 50 ms of a core for each password at each run, beside the program's own thread, and about as much
 * of a server for each client that logs in, and again at each reload. At 11 it would be twice as much.
 */
const BCRYPT_COST = 10;
const SALT_BYTES = 16;

/**
 * The bcrypt hash of a user's password, the same as long as it is the same password of the same user, so that it
 * shows no change where there is none.
 *
 * So its salt can't be random. It has to differ from user to user and from stack to stack, for one table not to serve
 * for all; it need not be secret, and mustn't tell of the password. It follows from the owner that marks the stack on
 * the engine, which its state keeps: other checkouts and machines that work on the same state have the same one.
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

/** Whether nats-server takes a password for its hash (2.15, `isBcrypt` in auth.go). */
export function isHash(password: string): boolean {
  return /^\$2[abxy]\$\d{2}\$/.test(password);
}

/** Of a longer one, bcrypt ignores the rest. */
export const MAX_PASSWORD_BYTES = 72;

const KEY_BYTES = 32;

/**
 * What the keys of the stack's own users follow from. As slow as a hash, as a server's config has their public keys: by
 * these, a password can be guessed as well as by its hash.
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

/** The seed, `SU…`, of the stack's own user in an account. */
export function managerSeed(key: string, account: string): string {
  return decode(Codec.encodeSeed(Prefix.User, rawSeed(key, account)));
}

/** The public key, `U…`, that goes with {@link managerSeed}. */
export function managerPublicKey(key: string, account: string): string {
  const pkcs8 = Buffer.concat([PKCS8_ED25519, rawSeed(key, account)]);
  const secret = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(secret).export({ format: "jwk" });
  return decode(Codec.encode(Prefix.User, Buffer.from(x, "base64url")));
}

/** What goes before the 32 bytes of an Ed25519 key (RFC 8410). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

function rawSeed(key: string, account: string): Uint8Array {
  return createHmac("sha256", Buffer.from(key, "base64")).update(account).digest();
}

function decode(text: Uint8Array): string {
  return new TextDecoder().decode(text);
}

/**
 * What two runs have in common whose secrets stem from the same facts, and no others. It tells nothing of them: who
 * guesses a password has to derive a key from each guess.
 *
 * @param key `managerKey(…)`.
 * @param facts what can be written as JSON.
 */
export function fingerprint(key: string, facts: unknown): string {
  return createHmac("sha256", key).update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}
