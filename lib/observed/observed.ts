/** The observed state of a cluster, as its servers report it. A plan is compared with it before anything changes. */
import type { Store } from "../placement/room.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import type { StreamName } from "../streams/stream-name.ts";

export interface ObservedCluster {
  /** The servers that answered. */
  readonly servers: readonly ObservedServer[];
  /** Names of servers that didn't answer. Streams that only they have are unknown. */
  readonly silent: readonly string[];
  /** Each stream once, by its leader's view if that answered; of all accounts, and also those not in the settings. */
  readonly streams: readonly ObservedStream[];
  /** The meta group by its leader's view; absent if no server that answered is its leader. */
  readonly meta?: ObservedMeta;
}

export interface ObservedMeta {
  /** All members, sorted. A member whose name the leader doesn't know is listed by its id. */
  readonly hosts: readonly string[];
  readonly leader: string;
  /** Members that are offline or lag. */
  readonly ill: readonly string[];
  /** Number of operations that members lag behind. */
  readonly behind: number;
}

export interface ObservedServer {
  readonly name: string;
  readonly file: Store;
  readonly memory: Store;
}

export interface ObservedStream extends StreamName {
  /** The config as last requested. The servers may still be applying it. */
  readonly config: StreamConfig;
  /** Servers that have a replica, sorted. */
  readonly hosts: readonly string[];
  /** `""` while there is none. */
  readonly leader: string;
  /** Hosts whose replica is offline or lags, by the leader's view; without a leader all hosts. */
  readonly ill: readonly string[];
  /** Hosts that are being added, and don't count for the majority yet. */
  readonly pending: readonly string[];
  /** Whether it is being moved or scaled; only nats-server 2.15 and later report it. */
  readonly isChanging: boolean;
  readonly messages: number;
  readonly bytes: number;
  /** What its replicas and those of its consumers lag behind: operations, and messages while these are copied. */
  readonly behind: number;
  readonly consumers: readonly ObservedConsumer[];
}

export interface ObservedConsumer {
  readonly name: string;
  /** Servers that have a replica, sorted. */
  readonly hosts: readonly string[];
  /** `""` while there is none. */
  readonly leader: string;
  /** Hosts whose replica is offline or lags, by the leader's view; without a leader all hosts. */
  readonly ill: readonly string[];
}

/** The observation if no server runs. */
export const NOTHING_OBSERVED: ObservedCluster = { servers: [], silent: [], streams: [] };
