/** Which accounts a message reaches through imports, and at which subjects. */

import { isSubset } from "../streams/subjects.ts";
import type { Import } from "./imports.ts";

export interface AccountSubject {
  readonly account: string;
  /** Without wildcards. */
  readonly subject: string;
}

/**
 * All places that a request reaches through imports of services, except where it starts. Imports chain: an account may
 * import a service that the other account imports itself (observed with nats-server 2.15.2).
 */
export function reachedByServices(
  from: AccountSubject,
  imports: readonly Import[],
): AccountSubject[] {
  const services = imports.filter(({ kind }) => kind === "service");
  const reached = [from];
  for (const { account, subject } of reached) {
    for (const { importer, origin, local } of services) {
      if (importer !== account || !isSubset(subject, local)) continue;
      const next = { account: origin.account, subject: translate(subject, local, origin.subject) };
      if (!reached.some((each) => isSame(each, next))) reached.push(next);
    }
  }
  return reached.slice(1);
}

/** All places that a message reaches through imports of streams. These don't chain (nats-server 2.15.2). */
export function reachedByStreams(
  from: AccountSubject,
  imports: readonly Import[],
): AccountSubject[] {
  return imports
    .filter(({ kind, origin }) => kind === "stream" && origin.account === from.account)
    .filter(({ origin }) => isSubset(from.subject, origin.subject))
    .map(({ importer, origin, local }) => ({
      account: importer,
      subject: translate(from.subject, origin.subject, local),
    }));
}

export function isSame(a: AccountSubject, b: AccountSubject): boolean {
  return a.account === b.account && a.subject === b.subject;
}

/** Maps a subject from one pattern to another that has the same wildcards in the same order. */
function translate(subject: string, from: string, to: string): string {
  const tokens = subject.split(".");
  const held = from
    .split(".")
    .flatMap((token, index) =>
      token === ">" ? [tokens.slice(index).join(".")] : token === "*" ? [tokens[index]] : [],
    );
  return to
    .split(".")
    .map((token) => (token === "*" || token === ">" ? held.shift() : token))
    .join(".");
}
