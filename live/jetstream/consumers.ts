import { z } from "zod";
import type { ConsumerConfig } from "../../lib/consumers/consumer-fields.ts";
import type { Session } from "./clients.ts";
import type { Connection } from "./connection.ts";
import {
  INFO_TIMEOUT_MS,
  JetStreamUnavailable,
  type Page,
  REQUEST_TIMEOUT_MS,
  type Reconfiguration,
  type Replica,
  readPages,
  requestApi,
} from "./jetstream.ts";

/** A place in a stream and in what a consumer has delivered. */
export interface SequencePair {
  readonly consumer_seq: number;
  readonly stream_seq: number;
}

/** A consumer's config and where it stands (`$JS.API.CONSUMER.INFO`). */
export interface ConsumerInfo {
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  readonly config: ConsumerConfig;
  /** The last message that was delivered. */
  readonly delivered: SequencePair;
  /** All messages up to this one are acknowledged. */
  readonly ack_floor: SequencePair;
  /** Messages that are delivered and not acknowledged. */
  readonly num_ack_pending: number;
  /** Messages among those that were delivered more than once. */
  readonly num_redelivered: number;
  /** Messages that haven't been delivered. */
  readonly num_pending: number;
  /** Whether somebody subscribes to the subject of a push consumer. */
  readonly push_bound?: boolean;
  readonly paused?: boolean;
  readonly cluster: {
    readonly leader: string;
    readonly replicas?: readonly Replica[];
    /** Set while it moves or scales (2.15). */
    readonly desired?: Reconfiguration;
  };
}

/** What a request may do: make a consumer, or change one. */
export type ConsumerAction = "create" | "update";

/**
 * JetStream's API for consumers, as one account sees it. Every method may throw what `JetStreamPort` throws;
 * StreamNotFound if the stream isn't there.
 */
export interface ConsumerPort {
  /** What its leader says of a consumer. @throws ConsumerNotFound */
  info(stream: string, consumer: string): Promise<ConsumerInfo>;
  /** The names of a stream's consumers. */
  names(stream: string): Promise<readonly string[]>;
  /**
   * Creates a consumer, or replaces the whole config of one that is there, except `pause_until`.
   *
   * @throws ConsumerNotFound if there is none to update.
   */
  put(stream: string, config: ConsumerConfig, action: ConsumerAction): Promise<void>;
  /** Has a consumer deliver nothing until a time, RFC 3339; undefined: has it go on. @throws ConsumerNotFound */
  pause(stream: string, consumer: string, until: string | undefined): Promise<void>;
  /** @throws ConsumerNotFound */
  delete(stream: string, consumer: string): Promise<void>;
}

/** `JSApiConsumerNamesResponse` in nats-server's server/jetstream_api.go. */
interface NamesPage extends Page {
  readonly consumers?: readonly string[] | null;
}

/** Opens the API for consumers. It shares its connection with the ports of `openJetStream`. */
export function openConsumers(connection: Connection, account: string): ConsumerPort {
  const session: Session = { connection, account };
  const request = (verb: string, place: string, body: object | string, timeout: number) =>
    requestApi(
      session,
      `CONSUMER.${verb}.${place}`,
      typeof body === "string" ? body : JSON.stringify(body),
      timeout,
    );
  return {
    info: async (stream, consumer) => {
      const reply = await request("INFO", `${stream}.${consumer}`, "", INFO_TIMEOUT_MS);
      const info = toConsumerInfo(reply);
      if (info.cluster?.leader) return { ...info, cluster: info.cluster };
      const leader = await loneServer(session, stream);
      if (leader !== undefined) return { ...info, cluster: { leader } };
      throw new JetStreamUnavailable(`consumer ${info.name} has no leader right now`);
    },
    names: async (stream) => {
      const ask = (query: string) => request("NAMES", stream, query, INFO_TIMEOUT_MS);
      return (await readPages<NamesPage, string>(ask, ({ consumers }) => consumers ?? [])) ?? [];
    },
    put: async (stream, config, action) => {
      const body = { stream_name: stream, config, action };
      await request("CREATE", `${stream}.${config.name}`, body, REQUEST_TIMEOUT_MS);
    },
    pause: async (stream, consumer, until) => {
      const body = until === undefined ? {} : { pause_until: until };
      await request("PAUSE", `${stream}.${consumer}`, body, REQUEST_TIMEOUT_MS);
    },
    delete: async (stream, consumer) =>
      void (await request("DELETE", `${stream}.${consumer}`, "", REQUEST_TIMEOUT_MS)),
  };
}

/**
 * A server that is to have a consumer and hasn't begun yet answers, too: with its config, and zeros for where it stands
 * (nats-server 2.15, `jsConsumerInfoRequest` in server/jetstream_api.go). Only what its leader says counts.
 */
function toConsumerInfo(
  reply: object,
): Omit<ConsumerInfo, "cluster"> & { readonly cluster?: ConsumerInfo["cluster"] } {
  if (!("config" in reply && "ack_floor" in reply)) {
    throw new JetStreamUnavailable("the server's answer describes no consumer");
  }
  return reply as ConsumerInfo;
}

/**
 * The server that has a stream, if it is in no cluster: then it names itself as the stream's leader and no cluster, and
 * nothing for consumers (nats-server 2.15, `clusterInfo` in server/jetstream_cluster.go). Undefined if it is in one.
 */
async function loneServer(session: Session, stream: string): Promise<string | undefined> {
  const reply = await requestApi(session, `STREAM.INFO.${stream}`, "", INFO_TIMEOUT_MS);
  const { cluster } = streamPlace.parse(reply);
  return cluster?.name === undefined ? cluster?.leader : undefined;
}

const streamPlace = z.object({
  cluster: z.object({ name: z.string().optional(), leader: z.string().optional() }).optional(),
});
