/** The origins of mirrors and of streams with sources, and what keeps their messages from being copied. */
import type { AccountPlan } from "../accounts/account-settings.ts";
import { isSame, reachedByServices, reachedByStreams } from "../accounts/import-routes.ts";
import { type Import, listImports } from "../accounts/imports.ts";
import type { Problem } from "../base/errors.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { API_PREFIX, isLiteralSubject, isSubset, subjectsOverlap } from "../streams/subjects.ts";

type OriginConfig = NonNullable<StreamConfig["mirror"]>;

/** A stream from which a mirror or a stream with sources (the copy) gets messages. */
export interface Origin {
  /** Path in the copy's settings: `mirror`, or e.g. `sources[1]`. */
  readonly path: string;
  readonly config: OriginConfig;
}

interface NamedStream {
  readonly name: string;
  readonly account: string;
  readonly config: StreamConfig;
}

/** What may answer a copy's requests to an origin outside its account. */
interface Serving {
  readonly accounts: readonly AccountPlan[];
  /** Whether the nodes accept leaf nodes. */
  readonly leafNodes: boolean;
}

/** The origins of a stream, in the order of its settings. */
export function originsOf({ mirror, sources = [] }: StreamConfig): Origin[] {
  return [
    ...(mirror ? [{ path: "mirror", config: mirror }] : []),
    ...sources.map((config, index) => ({ path: `sources[${index}]`, config })),
  ];
}

/** The names of a stream's origins in its own account. */
export function originNames(config: StreamConfig): string[] {
  return originsOf(config).flatMap(({ config: { name, external } }) => (external ? [] : [name]));
}

/** The subjects that a copy requests from its origin. Empty: all. */
export function filtersOf({ filter_subject: filter, subject_transforms = [] }: OriginConfig) {
  const sources = subject_transforms.flatMap(({ src }) => (src ? [src] : []));
  return filter ? [filter] : sources;
}

/**
 * Filters that no message of the origin can match. Empty if its subjects are uncertain, because it copies from other
 * streams itself, or transforms subjects.
 */
export function unmatchedFilters(origin: OriginConfig, found: StreamConfig): string[] {
  const { subjects = [], mirror, sources = [], subject_transform: transform } = found;
  if (mirror || sources.length > 0 || transform) return [];
  return filtersOf(origin).filter(
    (filter) => !subjects.some((subject) => subjectsOverlap(filter, subject)),
  );
}

/**
 * The subject, after the API's prefix, of the request that a copy sends in its own account (nats-server 2.15,
 * `setupMirrorConsumer` in stream.go). `*` stands for a name that the server generates.
 */
function requestOf({ name, consumer, filter_subject: filter, ...rest }: OriginConfig): string {
  if (consumer) return `CONSUMER.RESET.${name}.${consumer.name}`;
  const { subject_transforms: [{ src: only } = {}, ...others] = [] } = rest;
  const single = filter || (others.length === 0 ? only : undefined);
  return `CONSUMER.CREATE.${name}${single ? `.*.${single}` : ""}`;
}

/** The subject to which an origin's messages are delivered, in both accounts (same source as {@link requestOf}). */
function deliverySubject({ consumer, external }: OriginConfig, isMirror: boolean): string {
  return consumer?.deliver_subject || `${external?.deliver || "$JS"}.${isMirror ? "M" : "S"}.*`;
}

/** A subject that a pattern matches: each wildcard becomes the token `x`. */
function sampleOf(pattern: string): string {
  return pattern.replace(/[*>]/g, "x");
}

/** The account whose API answers requests at an origin's `external.api` prefix. */
function findOriginAccount(
  account: string,
  origin: OriginConfig,
  imports: readonly Import[],
): string | undefined {
  const request = sampleOf(requestOf(origin));
  const from = { account, subject: `${origin.external?.api}.${request}` };
  return reachedByServices(from, imports).find(
    ({ subject }) => subject === `${API_PREFIX}.${request}`,
  )?.account;
}

/**
 * Reports why a stream would never get messages from an origin in another account: no import carries its request
 * there, or none carries the messages back. The servers report neither. If the nodes accept leaf nodes, a request
 * that no import carries is allowed, as a leaf node may answer it.
 */
export function externalProblems(
  { account, config }: NamedStream,
  { accounts, leafNodes }: Serving,
): Problem[] {
  const imports = listImports(accounts);
  return originsOf(config).flatMap(({ path, config: origin }) => {
    if (!origin.external) return [];
    const malformed = prefixProblems(path, origin.external);
    if (malformed.length > 0) return malformed;
    const { api, deliver } = origin.external;
    const from = findOriginAccount(account, origin, imports);
    if (from === undefined) {
      if (leafNodes) return [];
      return [
        {
          path: `${path}.external.api`,
          message: `account ${account} imports no service "${api}.${requestOf(origin)}" that is another account's "${API_PREFIX}.${requestOf(origin)}", so nobody answers there`,
          fix: `add { service: { account: …, subject: ${API_PREFIX}.> }, to: ${api}.> } to accounts.${account}.imports`,
        },
      ];
    }
    const delivered = deliverySubject(origin, path === "mirror");
    const subject = sampleOf(delivered);
    const arrives = reachedByStreams({ account: from, subject }, imports).some((place) =>
      isSame(place, { account, subject }),
    );
    if (arrives) return [];
    const prefix = deliver || `deliver.${from}`;
    const wanted = origin.consumer ? delivered : `${prefix}.>`;
    const advice = importAdvice("stream", wanted, { account, from }, accounts);
    return [
      {
        path: `${path}.external.deliver`,
        message: `account ${account} imports no stream "${delivered}" from account ${from} under the same name, so nothing that is delivered gets here`,
        fix: deliver || origin.consumer ? advice : `set it, e.g. ${prefix}, and ${advice}`,
      },
    ];
  });
}

/** nats-server refuses such prefixes (2.15, `checkStreamCfg`). */
function prefixProblems(
  path: string,
  { api, deliver }: NonNullable<OriginConfig["external"]>,
): Problem[] {
  const fix = "give it plain words between dots";
  return [
    ...Object.entries({ api, deliver }).flatMap(([name, prefix]) =>
      !prefix || isLiteralSubject(prefix)
        ? []
        : [{ path: `${path}.external.${name}`, message: `"${prefix}" is no subject`, fix }],
    ),
    ...(api === API_PREFIX
      ? [
          {
            path: `${path}.external.api`,
            message: `"${API_PREFIX}" is this account's own`,
            fix: "import the other one by another name",
          },
        ]
      : []),
  ];
}

/** Advice which import to add for a subject of another account, and which export if that is missing too. */
function importAdvice(
  kind: "stream" | "service",
  subject: string,
  { account, from }: { readonly account: string; readonly from: string },
  accounts: readonly AccountPlan[],
): string {
  const isExported = accounts
    .filter(({ name }) => name === from)
    .flatMap(({ exports }) => exports)
    .map((each): string | undefined => ({ stream: undefined, service: undefined, ...each })[kind])
    .some((exported) => exported !== undefined && isSubset(subject, exported));
  return [
    `add { ${kind}: { account: ${from}, subject: ${subject} } } to accounts.${account}.imports`,
    ...(isExported ? [] : [`{ ${kind}: ${subject} } to accounts.${from}.exports`]),
  ].join(", and ");
}

/**
 * Warnings about a stream's origins.
 *
 * @param streams all streams in the settings.
 */
export function originWarnings(
  stream: NamedStream,
  streams: readonly NamedStream[],
  accounts: readonly AccountPlan[],
): string[] {
  const { account, config } = stream;
  return originsOf(config).flatMap(({ path, config: origin }) => {
    const { name, external } = origin;
    const home = external ? findOriginAccount(account, origin, listImports(accounts)) : account;
    // externalProblems refuses it, or a leaf node may have it.
    if (home === undefined) return [];
    const flow = external ? flowControlWarning(path, name, { account, from: home }, accounts) : [];
    const found = streams.find((each) => each.name === name && each.account === home);
    if (!found) {
      const where = external ? `, in account ${home}` : "";
      return [
        ...flow,
        `${path}: ${name} isn't in these settings${where}; nothing is copied unless it is there`,
      ];
    }
    return [
      ...flow,
      ...unmatchedFilters(origin, found.config).map(
        (filter) => `${path}: no message that ${name} takes matches "${filter}"`,
      ),
      ...(path === "mirror" && !external ? expiryWarnings(config, found.config) : []),
    ];
  });
}

const FLOW_CONTROL = "$JS.FC.>";

/**
 * Warns if flow control can't reach the origin's account. If messages arrive faster than the copy stores them, the
 * origin waits for replies on {@link FLOW_CONTROL}; without an import of it, as a service or as a stream, the copy
 * stalls (error 10228; observed with nats-server 2.15.2).
 */
function flowControlWarning(
  path: string,
  name: string,
  { account, from }: { readonly account: string; readonly from: string },
  accounts: readonly AccountPlan[],
): string[] {
  const imports = listImports(accounts);
  const subject = `$JS.FC.${name}.x.x`;
  const start = { account, subject };
  const reached = [...reachedByServices(start, imports), ...reachedByStreams(start, imports)];
  if (reached.some((place) => isSame(place, { account: from, subject }))) return [];
  const advice = importAdvice("service", FLOW_CONTROL, { account, from }, accounts);
  return [
    `${path}: account ${account} imports no service "${FLOW_CONTROL}" of account ${from}: beyond some thousand messages the copy stalls (error 10228); ${advice}`,
  ];
}

/** Warns if a mirror answers direct reads for its origin, but keeps messages that expire there. */
function expiryWarnings(copy: StreamConfig, origin: StreamConfig): string[] {
  // A mirror inherits `allowDirect` of its origin as `mirrorDirect` (2.15, `checkStreamCfg`).
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

/** State of a copy's connection to one origin, as the copy's leader reports it (`StreamSourceInfo` of nats-server). */
export interface OriginState {
  readonly name: string;
  /** Number of messages that aren't copied yet. */
  readonly lag: number;
  /** Nanoseconds since the last message or heartbeat; -1: none since this server became the copy's leader. */
  readonly active: number;
  readonly error?: { readonly err_code: number; readonly description: string } | undefined;
}

/** Nanoseconds without a sign of the origin until it is reported. Heartbeats come every second; a retry takes ten. */
const SILENT_NS = 30e9;

const STALLED = 10228;

/** Tells users why nothing comes from an origin; undefined if all is well. */
export function originError({ name, active, error }: OriginState): string | undefined {
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
