/** A cluster as its servers tell of it: what a plan is held against before anything changes. */
import type { Store } from "../placement/room.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import type { StreamName } from "../streams/stream-name.ts";

export interface ObservedCluster {
  /** The servers that answered. */
  readonly servers: readonly ObservedServer[];
  /** Names of those that didn't: what they alone hold is unknown. */
  readonly silent: readonly string[];
  /** Each stream once, as its leader sees it where that answered. Of all accounts, whether of the settings or not. */
  readonly streams: readonly ObservedStream[];
  /** By its leader's own view; undefined where no server that answered leads it. */
  readonly meta?: ObservedMeta;
}

export interface ObservedMeta {
  /** All members, sorted; one whose name the leader has never heard goes by its id. */
  readonly hosts: readonly string[];
  readonly leader: string;
  /** Members that are offline or lag. */
  readonly ill: readonly string[];
  /** Operations that members lack. */
  readonly behind: number;
}

export interface ObservedServer {
  readonly name: string;
  readonly file: Store;
  readonly memory: Store;
}

export interface ObservedStream extends StreamName {
  /** As requested; not a sign that the request has been carried out. */
  readonly config: StreamConfig;
  /** Servers that have a replica, sorted. */
  readonly hosts: readonly string[];
  /** `""` while there is none. */
  readonly leader: string;
  /** Hosts whose replica is offline or lags, by the leader's own view; without a leader all. */
  readonly ill: readonly string[];
  /** Hosts that are being added, and don't count for its majority yet. */
  readonly pending: readonly string[];
  /** Whether it moves or scales (nats-server 2.15 tells). */
  readonly isChanging: boolean;
  readonly messages: number;
  readonly bytes: number;
  /** What replicas lack, those of its consumers too: operations of their logs, and messages while they are copied. */
  readonly behind: number;
  readonly consumers: readonly ObservedConsumer[];
}

export interface ObservedConsumer {
  readonly name: string;
  /** Servers that have a replica, sorted. */
  readonly hosts: readonly string[];
  /** `""` while there is none. */
  readonly leader: string;
  /** Hosts whose replica is offline or lags, by the leader's own view; without a leader all. */
  readonly ill: readonly string[];
}

/** Where nothing runs. */
export const NOTHING_OBSERVED: ObservedCluster = { servers: [], silent: [], streams: [] };
