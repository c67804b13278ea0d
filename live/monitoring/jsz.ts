/** The fields of nats-server's `/jsz` page that are used here (2.15, `JSInfo` in server/monitor.go). */
import { z } from "zod";
import type { Store } from "../../lib/placement/room.ts";
import type { ObservedAccount } from "../../lib/update/room-changes.ts";

const member = z
  .object({
    name: z.string(),
    /** Peer id of the server. */
    peer: z.string(),
    current: z.boolean().default(false),
    offline: z.boolean().default(false),
    /** Being added: not counted yet. */
    pending: z.boolean().default(false),
    /** Nanoseconds since the leader last heard from it; 0 means never. */
    active: z.number().default(0),
    /** Operations behind the leader. */
    lag: z.number().default(0),
  })
  .transform((state) => ({ ...state, well: state.current && !state.offline }));

/** A raft group: its leader, `""` while there is none, and the other members as this node sees them. */
const raftGroup = z.object({
  leader: z.string().default(""),
  replicas: z.array(member).default([]),
  /** Set while the group moves or scales. */
  desired: z.object({ status: z.object({ description: z.string() }).optional() }).nullish(),
});

const placement = z
  .object({ cluster: z.string().optional(), tags: z.array(z.string()).nullish() })
  .transform(({ cluster, tags }) => ({ ...(cluster ? { cluster } : {}), tags: tags ?? [] }))
  .nullish()
  .transform((value) => value ?? { tags: [] });

const origin = z.object({
  name: z.string(),
  lag: z.number().default(0),
  active: z.number().default(-1),
  error: z.object({ err_code: z.number(), description: z.string().default("") }).optional(),
});

const position = z.object({ consumer_seq: z.number().default(0) }).prefault({});

const streamDetail = z.object({
  name: z.string(),
  cluster: raftGroup.prefault({}),
  /** The whole config; listed are the fields that are always present or used here. */
  config: z.looseObject({
    name: z.string(),
    num_replicas: z.number().default(1),
    placement,
    storage: z.string(),
    persist_mode: z.string().optional(),
  }),
  state: z.object({ messages: z.number(), bytes: z.number(), last_seq: z.number().default(0) }),
  /** As the stream's leader reports them; other nodes report that they never had contact. */
  mirror: origin.optional(),
  sources: z.array(origin).nullish(),
  /** Only with `consumers=true`. */
  consumer_detail: z
    .array(
      z.object({
        name: z.string(),
        cluster: raftGroup.prefault({}),
        /** As this server's own replica has them. */
        delivered: position,
        ack_floor: position,
        /** Messages that wait for delivery, and for acknowledgement: only what its leader says counts. */
        num_pending: z.number().default(0),
        num_ack_pending: z.number().default(0),
        paused: z.boolean().default(false),
        /** Only with `config=true`. */
        config: z.looseObject({ num_replicas: z.number().default(0) }).optional(),
      }),
    )
    .default([]),
});

/** Bytes; a limit that is off is `-1`. */
const bytes = z.number().default(0);

const accountDetail = z.object({
  name: z.string(),
  /** Usage of the whole cluster, all replicas included. */
  memory: bytes,
  storage: bytes,
  /** Limits of the account; `-1` is shown as an unsigned 64-bit number. */
  reserved_memory: bytes,
  reserved_storage: bytes,
  stream_detail: z.array(streamDetail).default([]),
});

const jsz = z.object({
  config: z.object({ max_memory: bytes, max_storage: bytes }).prefault({}),
  memory: bytes,
  storage: bytes,
  reserved_memory: bytes,
  reserved_storage: bytes,
  meta_cluster: raftGroup.extend({ cluster_size: z.number() }).optional(),
  account_details: z.array(accountDetail).default([]),
});

export type RaftMember = z.output<typeof member>;
export type RaftGroup = z.output<typeof raftGroup>;
export type StreamDetail = z.output<typeof streamDetail>;

/** A stream and its account. */
export interface HomedStream {
  readonly account: string;
  readonly stream: StreamDetail;
}

/**
 * Whether a stream moves or scales. Before 2.15 only the number of its members shows that, those before and those after
 * the change (nats-server 2.14, `stream.isMigrating` in server/jetstream_cluster.go). The reporting server isn't in its
 * own list.
 */
export function isChanging({ cluster, config }: Pick<StreamDetail, "cluster" | "config">): boolean {
  return cluster.desired != null || cluster.replicas.length + 1 > config.num_replicas;
}

/** A parsed `/jsz` page. */
export interface Jsz {
  /** Absent if the node isn't in a cluster. */
  readonly metaGroup?: RaftGroup & { readonly cluster_size: number };
  readonly file: Store;
  readonly memory: Store;
  /** Empty unless the page was requested with accounts. */
  readonly accounts: readonly ObservedAccount[];
  /** Streams of all accounts; empty unless the page was requested with them. */
  readonly streams: readonly HomedStream[];
}

/** Parses a `/jsz` page. @throws z.ZodError if it isn't one. */
export function parseJsz(page: unknown): Jsz {
  const { config, meta_cluster: metaGroup, account_details: accounts, ...use } = jsz.parse(page);
  return {
    ...(metaGroup ? { metaGroup } : {}),
    file: { max: config.max_storage, reserved: use.reserved_storage, used: use.storage },
    memory: { max: config.max_memory, reserved: use.reserved_memory, used: use.memory },
    accounts: accounts.map((account) => ({
      name: account.name,
      file: { ...limitOf(account.reserved_storage), used: account.storage },
      memory: { ...limitOf(account.reserved_memory), used: account.memory },
    })),
    streams: accounts.flatMap(({ name: account, stream_detail: streams }) =>
      streams.map((stream) => ({ account, stream })),
    ),
  };
}

function limitOf(shown: number): { readonly limit?: number } {
  return shown > Number.MAX_SAFE_INTEGER ? {} : { limit: shown };
}
