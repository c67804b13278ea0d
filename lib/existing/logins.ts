/** Logins to accounts of a cluster that others run. */
import { z } from "zod";
import { PASSWORD_PLACEHOLDER } from "../accounts/hidden-passwords.ts";
import { isUserSeed } from "../accounts/nkeys.ts";
import type { Problem } from "../base/errors.ts";

/**
 * A login: a user with a password, the seed of an nkey, `SU…`, a token, the text of a credentials file, or none, for
 * servers that let in whoever comes, or know clients by their certificates.
 */
export type Login =
  | { readonly user: string; readonly password: string }
  | { readonly seed: string }
  | { readonly token: string }
  | { readonly creds: string }
  | { readonly anonymous: true };

/** What a login is made of, by the names of its settings. */
export const LOGIN_PARTS = ["user", "password", "token", "seed", "creds"] as const;

export type LoginPart = (typeof LOGIN_PARTS)[number];

const WAYS: readonly (readonly LoginPart[])[] = [
  ["user", "password"],
  ["token"],
  ["seed"],
  ["creds"],
  [],
];

const given = z.literal(PASSWORD_PLACEHOLDER, { error: "is not text" }).optional();

/** A login in the settings, which have placeholders for what it is made of. */
export const loginSchema = z
  .strictObject({ user: given, password: given, token: given, seed: given, creds: given })
  .refine((login) => WAYS.some((way) => isSame(way, Object.keys(login))), {
    error: "is no login: give user and password, or one of token, seed and creds, or nothing",
  });

function isSame(way: readonly string[], keys: readonly string[]): boolean {
  return way.length === keys.length && way.every((part) => keys.includes(part));
}

/** The client library reads lines that end in a newline alone, the last one, too (@nats-io/nats-core 3.4). */
function plainLines(text: string): string {
  return `${text.trim().replaceAll("\r\n", "\n")}\n`;
}

/** A JWT and a seed, each between its marks (`nsc generate creds`). */
const CREDS =
  /-----BEGIN NATS USER JWT-----\s+\S+\s+-+END NATS USER JWT-+[\s\S]*-----BEGIN USER NKEY SEED-----\s+(\S+)\s/;

/** What is wrong with a part of a login, without quoting it. */
const FAULTS: Readonly<Record<LoginPart, (text: string) => string | undefined>> = {
  user: (text) => (text === "" ? "is empty" : undefined),
  password: () => undefined,
  token: (text) => (text === "" ? "is empty" : undefined),
  seed: (text) => (isUserSeed(text) ? undefined : "is no seed of a user's nkey, SU and 56 more"),
  creds: (text) =>
    isUserSeed(CREDS.exec(text)?.[1] ?? "")
      ? undefined
      : "is not the text of a creds file, with a user's JWT and the seed that goes with it",
};

/**
 * Reads a login from the texts that it is made of.
 *
 * @param path of the login in the settings, which {@link loginSchema} has accepted.
 * @returns the login, or its problems, none of which quotes a secret.
 */
export function readLogin(
  path: string,
  texts: Readonly<Partial<Record<LoginPart, unknown>>>,
): { readonly login: Login } | { readonly problems: readonly Problem[] } {
  const parts = new Map<LoginPart, string>();
  const problems = LOGIN_PARTS.flatMap((part): Problem[] => {
    const text = texts[part];
    if (text === undefined) return [];
    const fault = typeof text === "string" ? FAULTS[part](text) : "is not text";
    if (typeof text === "string") parts.set(part, text);
    return fault === undefined ? [] : [{ path: `${path}.${part}`, message: fault }];
  });
  return problems.length > 0 ? { problems } : { login: toLogin(parts) };
}

function toLogin(parts: ReadonlyMap<LoginPart, string>): Login {
  const [user, password = "", token, seed, creds] = LOGIN_PARTS.map((part) => parts.get(part));
  if (user !== undefined) return { user, password };
  if (token !== undefined) return { token };
  if (seed !== undefined) return { seed };
  return creds === undefined ? { anonymous: true } : { creds: plainLines(creds) };
}
