import { errors } from "nats";
import { ROOM_ERRORS } from "../../lib/placement/room-check.ts";
import type { OriginState } from "../../lib/plan/origins.ts";
import type { ApiPlacement, StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { ConsumerProgress, StreamState } from "../../lib/streams/stream-loss.ts";
import { API_PREFIX } from "../../lib/streams/subjects.ts";
import {
  AccessDenied,
  ClusterUnreachable,
  denied,
  type Session,
  unreachable,
  withClient,
} from "./clients.ts";
import type { Connection } from "./connection.ts";

export { AccessDenied, ClusterUnreachable, closeConnections } from "./clients.ts";

/** A replica other than the leader (`PeerInfo` in nats-server's server/stream.go). */
export interface Replica {
  readonly name: string;
  /** Has all that the leader has. */
  readonly current: boolean;
  readonly offline?: boolean;
  /** Being added, and not counted until it has caught up; or being removed (2.15). */
  readonly pending?: boolean;
  /** Operations behind the leader. */
  readonly lag?: number;
}

/** A stream's config and state (`$JS.API.STREAM.INFO`). */
export interface StreamInfo {
  /** As requested; the request may not have been carried out yet. */
  readonly config: StreamConfig;
  /** RFC 3339. */
  readonly created: string;
  readonly state: StreamState & { readonly first_seq: number; readonly last_seq: number };
  /** Set if it is a mirror. */
  readonly mirror?: OriginState;
  /** Set if it has sources. */
  readonly sources?: readonly OriginState[];
  readonly cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly Replica[];
    /** Set while a move or scale is under way (2.15). */
    readonly desired?: Reconfiguration;
  };
}

/** A message as a stream keeps it (`$JS.API.STREAM.MSG.GET`); headers and data in base64. */
export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly hdrs?: string;
  readonly data?: string;
}

/** A move, a scale or a change of retention that is under way (`DesiredClusterInfo` in server/stream.go, 2.15). */
export interface Reconfiguration {
  /** The target. Absent until the leader has chosen which replicas to keep. */
  readonly replicas?: readonly { readonly name: string }[];
  /** What a cancel restores. */
  readonly origin?: {
    readonly replicas: number;
    readonly placement?: ApiPlacement;
    /** Set if it changes. */
    readonly retention?: NonNullable<StreamConfig["retention"]>;
  };
  /** What the stream's leader is doing, in its own words; `err` is set if that keeps failing. */
  readonly status?: { readonly description: string; readonly err?: string };
}

/**
 * JetStream's API for streams, as one account sees it. Every method may throw {@link JetStreamError}, {@link
 * JetStreamUnavailable}, {@link ClusterUnreachable} or {@link AccessDenied}.
 */
export interface JetStreamPort {
  /** @throws StreamNotFound */
  info(stream: string): Promise<StreamInfo>;
  /** Does nothing if a stream with exactly this config exists. */
  create(config: StreamConfig): Promise<void>;
  /** Replaces the whole config: absent fields are unset. @throws StreamNotFound */
  update(config: StreamConfig): Promise<void>;
  /** @throws StreamNotFound */
  delete(stream: string): Promise<void>;
  /** The names of all streams of the account, or of those that take any message of a subject. */
  names(subject?: string): Promise<string[]>;
  /** All consumers of a stream; undefined if some of them don't answer. @throws StreamNotFound */
  consumers(stream: string): Promise<readonly ConsumerProgress[] | undefined>;
  /** Message counts of all subjects, for a stream with at most 100,000 subjects. @throws StreamNotFound */
  subjects(stream: string): Promise<readonly number[]>;
  /** The message with a sequence number; undefined if it was deleted. @throws StreamNotFound */
  message(stream: string, seq: number): Promise<StoredMessage | undefined>;
  /**
   * Asks the leader to hand over to a replica on the host `preferred`, and returns before it has. If that replica isn't
   * healthy, another may be elected (2.11+). A stream with one replica keeps its leader.
   *
   * @throws StreamNotFound
   */
  stepDown(stream: string, preferred: string): Promise<void>;
  /**
   * Cancels a change that is under way: hosts, replicas, placement and retention become again what they were before it
   * (2.15+). Returns once that is decided; carrying it out takes as long as any move.
   *
   * @throws StreamNotFound
   */
  cancelMove(stream: string): Promise<void>;
}

/** JetStream refused a request. The code is one of nats-server's server/errors.json. */
export class JetStreamError extends Error {
  override readonly name: string = "JetStreamError";
  readonly code: number;
  readonly description: string;

  constructor(code: number, description: string) {
    const hint = roomHint(code, description);
    super(`JetStream refused: ${description} (error ${code})${hint === "" ? "" : `; ${hint}`}`);
    this.code = code;
    this.description = description;
  }
}

/** Which server may be short of storage, and where to look, because the server's message doesn't say. */
function roomHint(code: number, description: string): string {
  const { noSuitablePeers, insufficientMemory, insufficientStorage, streamTooLarge } = ROOM_ERRORS;
  if (code === streamTooLarge)
    return "see maxFileStreamBytes and maxMemoryStreamBytes of its account";
  const nodes = "`npm run status` shows what room is left on each node";
  if (code === noSuitablePeers) return description.includes("insufficient storage") ? nodes : "";
  if (code !== insufficientMemory && code !== insufficientStorage) return "";
  return `a node that it is to be on, the meta leader or its account has no room left for its maxBytes; ${nodes}`;
}

/** The account has no such stream. Only the meta leader reports this; a missing answer never means it. */
export class StreamNotFound extends JetStreamError {
  override readonly name = "StreamNotFound";
}

/** The stream has no such consumer. Only the meta leader reports this; a missing answer never means it. */
export class ConsumerNotFound extends JetStreamError {
  override readonly name = "ConsumerNotFound";
}

/**
 * JetStream can't answer right now, because there is no leader or it can't be reached. The request may still be
 * executed.
 */
export class JetStreamUnavailable extends Error {
  override readonly name = "JetStreamUnavailable";
}

/**
 * Whether an error leaves the state of streams unknown: no server answers, JetStream doesn't, or the user that the
 * state remembers is refused.
 */
export function isSilence(error: unknown): error is Error {
  return [ClusterUnreachable, JetStreamUnavailable, AccessDenied].some(
    (kind) => error instanceof kind,
  );
}

/** nats-server's server/errors.json. */
export const ERROR_CODES = {
  noSuitablePeers: 10005,
  notAvailable: 10008,
  consumerBound: 10013,
  consumerNotFound: 10014,
  noMessageFound: 10037,
  sequenceNotFound: 10043,
  notAMember: 10044,
  /**
   * Also returned while the last stream of its account leaves a server: that deletes the folder in which the new stream
   * is being created (2.15, `stream.stop`). The server forgets the new stream, so the request can be repeated.
   */
  createFailed: 10049,
  raft: 10041,
  messageNotDeleted: 10057,
  nameInUse: 10058,
  streamNotFound: 10059,
  subjectsOverlap: 10065,
  streamSealed: 10109,
  streamOffline: 10118,
  consumerOffline: 10119,
  moveInProgress: 10124,
  moveNotInProgress: 10129,
  consumerExists: 10148,
  consumerDoesNotExist: 10149,
  consumerOfflineFor: 10195,
  memberChangeInFlight: 10202,
  reconfigurationInProgress: 10226,
} as const;

export const REQUEST_TIMEOUT_MS = 5_000;
/** A request is lost if the leader that it went to steps down. Repeating a read costs nothing. */
export const INFO_TIMEOUT_MS = 1_000;

/**
 * Opens JetStream as `account` sees it. It connects at the first request. All ports to the same cluster with the same
 * login share one connection, which closes when idle and reopens when needed.
 */
export function openJetStream(connection: Connection, account: string): JetStreamPort {
  const session = { connection, account };
  const request = (verb: string, stream: string, body = "", timeout = REQUEST_TIMEOUT_MS) =>
    requestApi(session, `STREAM.${verb}.${stream}`, body, timeout);
  return {
    info: async (stream) => toStreamInfo(await request("INFO", stream, "", INFO_TIMEOUT_MS)),
    create: async (config) => void (await request("CREATE", config.name, JSON.stringify(config))),
    update: async (config) => void (await request("UPDATE", config.name, JSON.stringify(config))),
    delete: async (stream) => void (await request("DELETE", stream)),
    names: async (subject) => {
      const ask = (query: string) => requestApi(session, "STREAM.NAMES", query, INFO_TIMEOUT_MS);
      const itemsOf = ({ streams }: StreamNamesPage) => streams ?? [];
      return (await readPages<StreamNamesPage, string>(ask, itemsOf, { subject })) ?? [];
    },
    consumers: async (stream) => {
      const ask = (query: string) =>
        requestApi(session, `CONSUMER.LIST.${stream}`, query, REQUEST_TIMEOUT_MS);
      return await readPages<ConsumersPage, ConsumerProgress>(ask, listedIn);
    },
    subjects: async (stream) => {
      const query = JSON.stringify({ subjects_filter: ">" });
      const { state } = toStreamInfo(await request("INFO", stream, query)) as SubjectsInfo;
      return Object.values(state.subjects ?? {});
    },
    message: async (stream, seq) => {
      try {
        const reply = await request("MSG.GET", stream, JSON.stringify({ seq }), INFO_TIMEOUT_MS);
        return (reply as { readonly message: StoredMessage }).message;
      } catch (error) {
        const { noMessageFound } = ERROR_CODES;
        if (error instanceof JetStreamError && error.code === noMessageFound) return undefined;
        throw error;
      }
    },
    stepDown: async (stream, preferred) =>
      void (await request("LEADER.STEPDOWN", stream, JSON.stringify({ placement: { preferred } }))),
    cancelMove: async (stream) => void (await request("CANCEL_MOVE", stream)),
  };
}

/** `StreamState` in nats-server's server/store.go, asked for with a filter. */
type SubjectsInfo = StreamInfo & {
  readonly state: { readonly subjects?: Readonly<Record<string, number>> };
};

export interface Page {
  readonly total: number;
}

interface StreamNamesPage extends Page {
  readonly streams?: readonly string[] | null;
}

/** `JSApiConsumerListResponse` in nats-server's server/jetstream_api.go. */
interface ConsumersPage extends Page {
  readonly consumers?: readonly ConsumerProgress[] | null;
  /** Names of consumers whose leader didn't answer the meta leader. */
  readonly missing?: readonly string[] | null;
  /** Reasons, by the names of consumers that no server can run. */
  readonly offline?: Readonly<Record<string, string>> | null;
}

function listedIn({ consumers, missing, offline }: ConsumersPage) {
  const isWhole = (missing ?? []).length === 0 && Object.keys(offline ?? {}).length === 0;
  return isWhole ? (consumers ?? []) : undefined;
}

/** Reads all pages of a list; undefined if one page has no list. */
export async function readPages<Answer extends Page, Item>(
  ask: (query: string) => Promise<object>,
  itemsOf: (page: Answer) => readonly Item[] | undefined,
  filter: object = {},
): Promise<Item[] | undefined> {
  const all: Item[] = [];
  for (;;) {
    const page = (await ask(JSON.stringify({ ...filter, offset: all.length }))) as Answer;
    const items = itemsOf(page);
    if (!items) return undefined;
    all.push(...items);
    if (all.length >= page.total || items.length === 0) return all;
  }
}

/** Requests of the system account to the meta group. */
export interface MetaGroupPort {
  /** Moves all replicas of a member to other servers. Returns before that is done. */
  evacuate(peerId: string): Promise<void>;
  /** Removes a member for good. Returns when the others have agreed. */
  remove(peerId: string): Promise<void>;
  /**
   * Has the members that are left elect a leader with as few votes, for five minutes at most (2.15+). Those who know of a
   * leader refuse, and so does a member whose log is empty. Returns what one of them answers: an election follows.
   */
  rescue(votes: number): Promise<void>;
}

/** Opens the meta group as a user of the system account. Members are identified by {@link peerId}. */
export function openMetaGroup(connection: Connection): MetaGroupPort {
  const session = { connection, account: "$SYS" };
  const request = async (verb: string, body: object) => {
    await requestApi(session, verb, JSON.stringify(body), REQUEST_TIMEOUT_MS);
  };
  return {
    evacuate: (id) => request("SERVER.EVACUATE", { peer_id: id }),
    remove: (id) => request("SERVER.REMOVE", { peer_id: id }),
    rescue: (votes) => request("META.RESCUE", { quorum_needed: votes }),
  };
}

/** Whether a stream's replicas agree on writes; `barred` if its config makes the leader refuse the request. */
export type Agreement = "agreed" | "barred";

/**
 * Opens a way to find out whether a stream can be written to, without writing: it asks for the deletion of message 0,
 * which no stream has. The leader proposes that to its replicas like any write, and answers that there is no such
 * message once a majority of them has it (nats-server 2.15, `jsClusteredMsgDeleteRequest` and `deleteMsgOp` in
 * server/jetstream_cluster.go). Like the whole API, this needs a meta leader.
 *
 * @param patience milliseconds to wait for the answer.
 * @returns a function of the stream's name that throws what {@link JetStreamPort} throws.
 */
export function openAgreement(
  connection: Connection,
  account: string,
  patience: number,
): (stream: string) => Promise<Agreement> {
  const session = { connection, account };
  const body = JSON.stringify({ seq: 0, no_erase: true });
  return async (stream) => {
    try {
      await requestApi(session, `STREAM.MSG.DELETE.${stream}`, body, patience);
    } catch (error) {
      if (error instanceof JetStreamError) return toAgreement(error);
      throw error;
    }
    throw new JetStreamUnavailable(`stream ${stream} claims to have deleted message 0`);
  };
}

/** File and memory stores have different codes for the same answer. @throws the error, if it is another one. */
function toAgreement(error: JetStreamError): Agreement {
  const { sequenceNotFound, messageNotDeleted, streamSealed } = ERROR_CODES;
  switch (error.code) {
    case sequenceNotFound:
      return "agreed";
    case streamSealed:
      return "barred";
    case messageNotDeleted:
      if (error.description === "no message found") return "agreed";
      if (error.description === "message delete not permitted") return "barred";
  }
  throw error;
}

/**
 * Sends a request to JetStream's API.
 *
 * @param verb the subject after the API's prefix, e.g. `STREAM.INFO.ORDERS`.
 * @param timeout milliseconds.
 * @throws what {@link JetStreamPort} throws.
 */
export function requestApi(
  session: Session,
  verb: string,
  body: string,
  timeout: number,
): Promise<object> {
  const prefix = session.connection.foreign?.apiPrefix ?? API_PREFIX;
  return send(session, `${prefix}.${verb}`, body, timeout);
}

/**
 * Publishes a message to a stream, and waits for its acknowledgement. Where JetStream's API has another prefix, as in
 * another domain, the subject has that as well (nats-server 2.15, `$JS.<domain>.API.$KV.>`; nats.go 1.55, kv.go).
 *
 * @param timeout milliseconds.
 * @throws what {@link JetStreamPort} throws.
 */
export async function publishAcknowledged(
  session: Session,
  subject: string,
  body: string,
  timeout: number,
): Promise<void> {
  const prefix = session.connection.foreign?.apiPrefix;
  await send(session, prefix === undefined ? subject : `${prefix}.${subject}`, body, timeout);
}

async function send(
  session: Session,
  subject: string,
  body: string,
  timeout: number,
): Promise<object> {
  const message = await withClient(session, async (client) => {
    try {
      return await client.request(subject, body, { timeout });
    } catch (error) {
      throw explainRequestFailure(error, session);
    }
  });
  const reply = message.json<unknown>();
  if (!isRecord(reply)) throw new JetStreamUnavailable(`the answer to ${subject} is no object`);
  if (isRecord(reply.error)) throw toApiError(reply.error);
  return reply;
}

function explainRequestFailure(error: unknown, session: Session): Error {
  const { account } = session;
  const cause = error instanceof errors.RequestError ? (error.cause ?? error) : error;
  if (cause instanceof errors.NoRespondersError) {
    return new JetStreamUnavailable(
      `JetStream does not answer in account ${account}: it is off there, or has no leader yet`,
      { cause: error },
    );
  }
  if (cause instanceof errors.TimeoutError) {
    return new JetStreamUnavailable(`JetStream did not answer in time in account ${account}`, {
      cause: error,
    });
  }
  if (cause instanceof errors.PermissionViolationError) return denied(session, cause);
  if (cause instanceof errors.InvalidArgumentError) {
    return new JetStreamUnavailable(
      `JetStream can't be asked in account ${account}: the account's limits.payload, or maxPayload, is less than the request has; raise it, or take it out (${cause.message})`,
      { cause: error },
    );
  }
  return unreachable(session, error);
}

function toApiError(error: Readonly<Record<string, unknown>>): Error {
  const code = Number(error.err_code ?? error.code);
  const description = String(error.description ?? "no description");
  switch (code) {
    case ERROR_CODES.streamNotFound:
      return new StreamNotFound(code, description);
    case ERROR_CODES.consumerNotFound:
    case ERROR_CODES.consumerDoesNotExist:
      return new ConsumerNotFound(code, description);
    case ERROR_CODES.notAvailable:
    case ERROR_CODES.streamOffline:
    case ERROR_CODES.consumerOffline:
    case ERROR_CODES.consumerOfflineFor:
      return new JetStreamUnavailable(`JetStream is not available right now: ${description}`);
    default:
      return new JetStreamError(code, description);
  }
}

/** Checks the parts that all versions have. The other fields are those that the server's version documents. */
function toStreamInfo(reply: object): StreamInfo {
  if ("config" in reply && isRecord(reply.config) && "state" in reply && isRecord(reply.state)) {
    return reply as StreamInfo;
  }
  throw new JetStreamUnavailable("the server's answer describes no stream");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
