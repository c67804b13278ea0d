/** Where mirrors and streams with sources get their messages from, and why some never will. */
import type { AccountPlan } from "./accounts.ts";
import type { Problem } from "./errors.ts";
import { type Import, listImports } from "./imports.ts";
import type { StreamConfig } from "./stream-config.ts";
import { isSubset, subjectsOverlap } from "./subjects.ts";

type OriginConfig = NonNullable<StreamConfig["mirror"]>;

/** One stream that another one copies from. */
export interface Origin {
  /** Below the copy's settings: `mirror` or `sources[1]`. */
  readonly path: string;
  readonly config: OriginConfig;
}

interface NamedStream {
  readonly name: string;
  readonly account: string;
  readonly config: StreamConfig;
}

/** The origins of a stream, in the order of its settings. */
export function originsOf({ mirror, sources = [] }: StreamConfig): Origin[] {
  return [
    ...(mirror ? [{ path: "mirror", config: mirror }] : []),
    ...sources.map((config, index) => ({ path: `sources[${index}]`, config })),
  ];
}

/** The names of the streams of its own account that a stream copies from. */
export function originNames(config: StreamConfig): string[] {
  return originsOf(config).flatMap(({ config: { name, external } }) => (external ? [] : [name]));
}

/** The subjects that a copy asks its origin for; none: all. */
export function filtersOf({ filter_subject: filter, subject_transforms = [] }: OriginConfig) {
  const sources = subject_transforms.flatMap(({ src }) => (src ? [src] : []));
  return filter ? [filter] : sources;
}

/**
 * Filters of an origin that no message it takes can match. Only where it is plain what it takes: not where it copies
 * from others itself, or changes subjects.
 */
export function vainFilters(origin: OriginConfig, found: StreamConfig): string[] {
  const { subjects = [], mirror, sources = [], subject_transform: transform } = found;
  if (mirror || sources.length > 0 || transform) return [];
  return filtersOf(origin).filter(
    (filter) => !subjects.some((subject) => subjectsOverlap(filter, subject)),
  );
}

/**
 * Reports prefixes of other accounts' APIs that the account imports from nobody: what is asked there, nobody hears. A
 * cluster of these settings has neither domains nor leaf nodes, which could serve others.
 */
export function prefixProblems(
  { account, config }: NamedStream,
  accounts: readonly AccountPlan[],
): Problem[] {
  const services = listImports(accounts).filter(
    ({ importer, kind }) => importer === account && kind === "service",
  );
  return originsOf(config).flatMap(({ path, config: { external } }) => {
    if (!external) return [];
    const { api } = external;
    if (services.some(({ local }) => subjectsOverlap(local, `${api}.CONSUMER.>`))) return [];
    return [
      {
        path: `${path}.external.api`,
        message: `account ${account} imports no service "${api}.>", so nobody answers there`,
        fix: `add { service: { account: …, subject: $JS.API.> }, to: ${api}.> } to accounts.${account}.imports`,
      },
    ];
  });
}

/** What people should know of a stream's origins, going by all streams of the settings. */
export function originWarnings(
  stream: NamedStream,
  streams: readonly NamedStream[],
  accounts: readonly AccountPlan[],
): string[] {
  const { account, config } = stream;
  return originsOf(config).flatMap(({ path, config: origin }) => {
    const { name, external } = origin;
    if (external) return flowControlWarning(path, account, accounts);
    const found = streams.find((each) => each.name === name && each.account === account);
    if (!found) {
      return [`${path}: ${name} isn't in these settings; nothing is copied unless it is there`];
    }
    return [
      ...vainFilters(origin, found.config).map(
        (filter) => `${path}: no message that ${name} takes matches "${filter}"`,
      ),
      ...(path === "mirror" ? expiryWarnings(config, found.config) : []),
    ];
  });
}

const FLOW_CONTROL = "$JS.FC.>";

/** What comes faster than it is stored waits for an answer on a subject that has to get through, too (error 10228). */
function flowControlWarning(
  path: string,
  account: string,
  accounts: readonly AccountPlan[],
): string[] {
  const carries = ({ importer, kind, origin }: Import) =>
    kind === "service" ? importer === account : origin.account === account;
  const isHeard = listImports(accounts).some(
    (each) => carries(each) && isSubset(FLOW_CONTROL, each.origin.subject),
  );
  if (isHeard) return [];
  return [
    `${path}: account ${account} imports no service "${FLOW_CONTROL}" of the account that it copies from: beyond some thousand messages the copy stalls (error 10228)`,
  ];
}

/** A mirror that answers reads in its origin's place goes on giving what has expired there. */
function expiryWarnings(copy: StreamConfig, origin: StreamConfig): string[] {
  // nats-server gives a mirror its origin's choice (2.15, `checkStreamCfg`).
  if (!origin.allow_direct && !copy.mirror_direct) return [];
  const age = origin.max_age ?? 0;
  const longer = age > 0 && ((copy.max_age ?? 0) === 0 || (copy.max_age ?? 0) > age);
  const ttl = origin.allow_msg_ttl === true && copy.allow_msg_ttl !== true;
  const lacking = [...(longer ? ["maxAge"] : []), ...(ttl ? ["allowMsgTtl"] : [])];
  if (lacking.length === 0) return [];
  return [
    `mirror: ${copy.name} answers direct reads of ${origin.name}, and goes on giving what has expired there; give it the same ${lacking.join(" and ")}`,
  ];
}

/** How a copy fares with one origin, as its leader tells (`StreamSourceInfo` of nats-server). */
export interface OriginState {
  readonly name: string;
  /** Messages that it hasn't copied yet. */
  readonly lag: number;
  /** Nanoseconds since it last heard of it, heartbeats included; -1: never, since this server leads the copy. */
  readonly active: number;
  readonly error?: { readonly err_code: number; readonly description: string } | undefined;
}

/** An origin is heard every second, and asked anew where it isn't for ten. */
const SILENT_NS = 30e9;

const STALLED = 10228;

/** Why nothing comes from an origin, for people; undefined where all is well. */
export function originTrouble({ name, active, error }: OriginState): string | undefined {
  if (error) {
    const wayOut =
      error.err_code === STALLED
        ? `; what this account publishes to ${FLOW_CONTROL} has to reach that of ${name}: import it there as a service`
        : "";
    return `copying from ${name} fails: ${error.description} (error ${error.err_code})${wayOut}`;
  }
  if (active < 0) {
    return `it has never heard of ${name}: there is no such stream, or what it asks doesn't get there`;
  }
  return active > SILENT_NS
    ? `it has heard nothing of ${name} for ${Math.round(active / 1e9)} s`
    : undefined;
}
