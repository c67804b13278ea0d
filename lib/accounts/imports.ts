/** Checks what accounts import from each other, as nats-server does when it has read all accounts. */

import type { Problem } from "../base/errors.ts";
import { isLiteralSubject, isSubset, subjectsOverlap } from "../streams/subjects.ts";
import type { AccountPlan, ExportedSubject, ImportSettings } from "./account-settings.ts";

type Kind = "stream" | "service";

/** An import of a stream or a service. */
export interface Import {
  readonly importer: string;
  readonly kind: Kind;
  readonly origin: ExportedSubject;
  /** The subject in the importing account. */
  readonly local: string;
  readonly path: string;
  readonly settings: ImportSettings;
}

type Sharing = Pick<AccountPlan, "name" | "exports" | "imports">;

/**
 * Reports accounts that exports and imports name but that don't exist, imports that the server would refuse, and
 * imports by which JetStream requests of one account would be done in two.
 */
export function importProblems(
  accounts: readonly (Sharing & Pick<AccountPlan, "jetStream">)[],
): Problem[] {
  const names = new Set(accounts.map(({ name }) => name));
  const imports = listImports(accounts);
  return [
    ...accounts.flatMap((account) => audienceProblems(account, names)),
    ...imports.flatMap((each) => [
      ...originProblems(each, accounts),
      ...subjectProblems(each),
      ...(isCycle(each, imports)
        ? [
            {
              path: each.path,
              message: "is part of a cycle of imports",
              fix: "take one import out",
            },
          ]
        : []),
    ]),
    ...duplicates(imports),
    ...accounts
      .filter(({ jetStream }) => jetStream !== false)
      .flatMap((account) => sharedRequests(account, "*").map(sharedProblem)),
  ];
}

/** JetStream's requests about a single stream, below `$JS.API`. */
const REQUESTS = [
  ...["CREATE", "UPDATE", "DELETE", "PURGE", "INFO", "MSG.GET", "MSG.DELETE"].map(
    (verb) => `STREAM.${verb}`,
  ),
  "CONSUMER.LIST",
];

/**
 * The imports that send an account's own JetStream requests to another account's JetStream too. Both accounts then
 * carry them out: streams are created and deleted in both, and the client gets one of the replies (observed with
 * nats-server 2.15.2).
 *
 * @param stream name of the stream that requests are about; `*`: any.
 */
export function sharedRequests(account: Sharing, stream: string): Import[] {
  return importsOf(account).filter(
    ({ kind, local }) =>
      kind === "service" &&
      REQUESTS.some((request) => isSubset(`$JS.API.${request}.${stream}`, local)),
  );
}

function sharedProblem({ importer, origin, local, path }: Import): Problem {
  return {
    path: `${path}.to`,
    message: `requests to account ${importer}'s own JetStream at "${local}" would be carried out in account ${origin.account}, too: streams would be created and deleted in both`,
    fix: `give it another name, e.g. to: JS.${origin.account}.API.>, or switch accounts.${importer}.jetStream off`,
  };
}

/** All imports of some accounts. */
export function listImports(accounts: readonly Sharing[]): Import[] {
  return accounts.flatMap(importsOf);
}

function importsOf({ name, imports }: Sharing): Import[] {
  return imports.map((settings, index) => {
    const kind = "stream" in settings ? "stream" : "service";
    const origin = "stream" in settings ? settings.stream : settings.service;
    const prefix = "prefix" in settings && settings.prefix ? `${settings.prefix}.` : "";
    const local = settings.to ?? `${prefix}${origin.subject}`;
    return {
      importer: name,
      kind,
      origin,
      local,
      path: `accounts.${name}.imports[${index}]`,
      settings,
    };
  });
}

function audienceProblems({ name, exports }: Sharing, names: ReadonlySet<string>): Problem[] {
  return exports.flatMap(({ accounts = [] }, index) =>
    accounts
      .filter((account) => !names.has(account))
      .map((account) => ({
        path: `accounts.${name}.exports[${index}].accounts`,
        message: `there is no account "${account}"`,
        fix: `use ${[...names].join(", ")}`,
      })),
  );
}

function originProblems(
  { importer, kind, origin, path }: Import,
  accounts: readonly Sharing[],
): Problem[] {
  const { account, subject } = origin;
  if (account === importer) {
    return [{ path, message: "is from the account itself", fix: "take it out" }];
  }
  const exporter = accounts.find(({ name }) => name === account);
  if (!exporter) {
    const fix = `use one of ${accounts.map(({ name }) => name).join(", ")}`;
    return [{ path, message: `there is no account "${account}"`, fix }];
  }
  const offers = exporter.exports.flatMap((offer) => {
    const offered = kind === "stream" && "stream" in offer ? offer.stream : undefined;
    const served = kind === "service" && "service" in offer ? offer.service : undefined;
    const exported = offered ?? served;
    const isMatch = exported !== undefined && isSubset(subject, exported);
    return isMatch ? [{ exported, accounts: offer.accounts }] : [];
  });
  if (offers.length === 0) {
    const message = `account ${account} exports no ${kind} "${subject}"`;
    return [{ path, message, fix: `add it to accounts.${account}.exports` }];
  }
  const closed = closedSubject(subject, offers, importer);
  if (closed === undefined) return [];
  const message = `account ${account} exports ${kind} "${closed}" to others only`;
  return [{ path, message, fix: `add ${importer} to the accounts of that export` }];
}

interface Offer {
  readonly exported: string;
  /** Undefined: exported to all accounts. */
  readonly accounts: readonly string[] | undefined;
}

/**
 * The subject of an export that excludes the importer; undefined if it may import. An export of exactly the subject
 * decides alone. Otherwise nats-server uses the first matching export that it finds, in no fixed order, so that all of
 * them must allow the importer (2.15, `checkStreamExportApproved` in accounts.go). If a subject is exported twice, the
 * accounts of both may import it.
 */
function closedSubject(
  subject: string,
  offers: readonly Offer[],
  importer: string,
): string | undefined {
  const exact = offers.filter(({ exported }) => exported === subject);
  const deciding = Map.groupBy(exact.length > 0 ? exact : offers, ({ exported }) => exported);
  const closed = [...deciding].find(([, same]) => {
    const accounts = same.flatMap(({ accounts = [] }) => accounts);
    return accounts.length > 0 && !accounts.includes(importer);
  });
  return closed?.[0];
}

/** `to` must have the wildcards of the original subject in the same order, as the server maps them one by one. */
function subjectProblems({ origin, settings, path }: Import): Problem[] {
  if ("prefix" in settings && settings.prefix && !isLiteralSubject(settings.prefix)) {
    return [
      { path: `${path}.prefix`, message: `"${settings.prefix}" has wildcards`, fix: "use none" },
    ];
  }
  if (settings.to === undefined || wildcardsOf(settings.to) === wildcardsOf(origin.subject))
    return [];
  const message = `"${settings.to}" doesn't have the wildcards of "${origin.subject}"`;
  return [{ path: `${path}.to`, message, fix: "give both the same, in the same order" }];
}

function wildcardsOf(subject: string): string {
  return subject
    .split(".")
    .filter((token) => token === "*" || token === ">")
    .join(".");
}

/**
 * Whether other imports could bring messages of an import back to where they came from. Like
 * `checkStreamImportsForCycles` in nats-server's accounts.go (2.15), and its counterpart for services, this compares
 * the subjects of both sides.
 */
function isCycle(start: Import, imports: readonly Import[]): boolean {
  if (start.origin.account === start.importer) return false;
  const seen = new Set([start]);
  for (const each of seen) {
    for (const next of imports.filter((next) => feeds(each, next))) {
      if (next.origin.account === start.importer) return true;
      seen.add(next);
    }
  }
  return false;
}

function feeds({ kind, origin, local }: Import, next: Import): boolean {
  if (next.kind !== kind || next.importer !== origin.account) return false;
  const subjects = [origin.subject, local];
  const theirs = [next.local, next.origin.subject];
  return subjects.some((a) => theirs.some((b) => subjectsOverlap(a, b)));
}

/**
 * Reports repeated imports: of streams with the same subject in the exporting account, of services in the importing
 * one.
 */
function duplicates(imports: readonly Import[]): Problem[] {
  const first = new Map<string, string>();
  return imports.flatMap(({ importer, kind, origin, local, path }) => {
    const subject = kind === "stream" ? origin.subject : local;
    const key = JSON.stringify([importer, kind, origin.account, subject]);
    const other = first.get(key);
    first.set(key, other ?? path);
    if (other === undefined) return [];
    return [{ path, message: `"${subject}" is imported by ${other} already`, fix: "take one out" }];
  });
}
