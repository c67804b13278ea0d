import { majorityOf } from "../../lib/placement/survivability.ts";
import { streamKey } from "../../lib/streams/stream-name.ts";
import type { Pages } from "../../live/monitoring/caught-up.ts";
import {
  type HomedStream,
  isChanging,
  type Jsz,
  type RaftGroup,
} from "../../live/monitoring/jsz.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { askStreamPages } from "../../live/monitoring/monitoring.ts";
import type { Group } from "./forecast.ts";

/** A raft group as its leader's monitoring page shows it. */
export interface LedGroup extends Group {
  /** Whether the leader has heard from a majority of the replicas recently, itself included. */
  readonly hasMajority: boolean;
  /** Whether it has heard from every replica recently, and all are current. */
  readonly isComplete: boolean;
  /** Whether a move or a scale is under way. */
  readonly isChanging: boolean;
  /** Messages that are lost if a server is killed: those in memory, and those that aren't synced at once. */
  readonly volatileMessages: number;
}

/** The groups that some nodes lead. */
export interface Look {
  /** Undefined if none of the nodes leads the meta group. */
  readonly metaGroup: LedGroup | undefined;
  /** By {@link streamKey}. */
  readonly streams: ReadonlyMap<string, LedGroup>;
}

/** A follower answers its leader every second (nats-server 2.15, `hbInterval` in server/raft.go). */
const LATELY_NS = 3e9;

/** Asks nodes for the groups that they lead. A node that doesn't answer is skipped. */
export async function look(monitors: readonly Monitor[]): Promise<Look> {
  return lookOf(await askStreamPages(monitors));
}

/** The groups that nodes lead, as their pages show them. */
export function lookOf(pages: Pages): Look {
  const views = [...pages].map(([name, page]) => ledBy(name, page));
  const streams = views.flatMap((view) => view.streams);
  return {
    metaGroup: views.find(({ metaGroup }) => metaGroup)?.metaGroup,
    streams: new Map(streams.map((stream) => [streamKey(stream), stream])),
  };
}

function ledBy(node: string, { metaGroup: meta, streams: all }: Jsz) {
  const streams = all.filter(({ stream }) => stream.cluster.leader === node).map(toStream);
  const metaGroup = meta?.leader === node ? toGroup("", "meta group", meta) : undefined;
  return { metaGroup, streams };
}

function toStream({ account, stream }: HomedStream): LedGroup {
  const { name, cluster, config, state } = stream;
  const isVolatile = config.storage === "memory" || config.persist_mode === "async";
  const group = toGroup(account, name, cluster);
  return {
    ...group,
    isChanging: isChanging(stream),
    volatileMessages: isVolatile ? state.messages : 0,
  };
}

function toGroup(account: string, name: string, { leader, replicas }: RaftGroup): LedGroup {
  const members = replicas.filter(({ pending }) => !pending);
  const heard = members.filter(({ active }) => active > 0 && active < LATELY_NS);
  const current = heard.filter(({ well }) => well);
  return {
    account,
    name,
    leader,
    hosts: [leader, ...members.map(({ name }) => name).sort()],
    hasMajority: 1 + heard.length >= majorityOf(1 + members.length),
    isComplete: current.length === members.length,
    isChanging: false,
    volatileMessages: 0,
  };
}
