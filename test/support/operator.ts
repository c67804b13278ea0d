import { createHash } from "node:crypto";
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys";

/** An operator with accounts, as `nsc` would make them. */
export interface Operator {
  /** What a server needs to know of it, in NATS's format, with a resolver in memory. */
  readonly config: string;
  /** The text of a creds file of each account's user, by account. */
  readonly creds: Readonly<Record<string, string>>;
}

const UNLIMITED = -1;
const ACCOUNT_LIMITS = {
  subs: UNLIMITED,
  data: UNLIMITED,
  payload: UNLIMITED,
  imports: UNLIMITED,
  exports: UNLIMITED,
  wildcards: true,
  conn: UNLIMITED,
  leaf: UNLIMITED,
};
const STORES = {
  mem_storage: UNLIMITED,
  disk_storage: UNLIMITED,
  streams: UNLIMITED,
  consumer: UNLIMITED,
};
const USER_LIMITS = { subs: UNLIMITED, data: UNLIMITED, payload: UNLIMITED };

/** @param accounts names; the first one is the system account. */
export function makeOperator(accounts: readonly [system: string, ...others: string[]]): Operator {
  const operator = createOperator();
  const made = accounts.map((name, index) => {
    const account = createAccount();
    const limits = { ...ACCOUNT_LIMITS, ...(index === 0 ? {} : STORES) };
    const claims = { limits, default_permissions: { pub: {}, sub: {} }, type: "account" };
    const user = createUser();
    const userClaims = { ...USER_LIMITS, pub: {}, sub: {}, type: "user" };
    return {
      name,
      key: account.getPublicKey(),
      jwt: jwt(name, account.getPublicKey(), operator, claims),
      creds: credsOf(jwt(`${name}-user`, user.getPublicKey(), account, userClaims), user),
    };
  });
  const preload = made.map(({ key, jwt }) => `  ${key}: ${jwt}\n`).join("");
  const own = jwt("op", operator.getPublicKey(), operator, { type: "operator" });
  return {
    config: `operator: ${own}\nsystem_account: ${made[0]?.key}\nresolver: MEMORY\nresolver_preload {\n${preload}}\n`,
    creds: Object.fromEntries(made.map(({ name, creds }) => [name, creds])),
  };
}

/** A JWT as NATS has them (ADR-14): its id is a hash of its claims. */
function jwt(name: string, sub: string, issuer: KeyPair, nats: object): string {
  const claims = {
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    name,
    sub,
    nats: { ...nats, version: 2 },
  };
  const jti = createHash("sha256").update(JSON.stringify(claims)).digest("hex");
  const text = [
    { typ: "JWT", alg: "ed25519-nkey" },
    { ...claims, jti },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = issuer.sign(new TextEncoder().encode(text));
  return `${text}.${Buffer.from(signature).toString("base64url")}`;
}

function credsOf(jwt: string, user: KeyPair): string {
  const seed = new TextDecoder().decode(user.getSeed());
  return `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
}
