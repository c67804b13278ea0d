import { z } from "zod";
import { type Group, groupKey } from "../../lib/drill.ts";
import { majorityOf } from "../../lib/survivability.ts";
import { getPages, type Monitor } from "../../providers/monitoring.ts";

/** A group as its leader's monitoring page shows it. */
export interface LedGroup extends Group {
  /** The leader has heard a majority of the replicas lately, itself counted. */
  readonly hasMajority: boolean;
  /** It has heard every replica lately, and all are current. */
  readonly isComplete: boolean;
  /** A move or a scale is under way. */
  readonly isChanging: boolean;
  /** Messages that a server which is killed takes along: those in memory, or not flushed at once. */
  readonly volatileMessages: number;
}

/** What the leaders among some nodes say. */
export interface Look {
  /** Undefined where no node says that it leads the meta group. */
  readonly metaGroup: LedGroup | undefined;
  /** By {@link groupKey}. */
  readonly streams: ReadonlyMap<string, LedGroup>;
}

/** A follower answers its leader every second (nats-server 2.15, `hbInterval` in server/raft.go). */
const LATELY_NS = 3e9;

const raftGroup = z.object({
  leader: z.string().default(""),
  replicas: z
    .array(
      z.object({
        name: z.string(),
        current: z.boolean().default(false),
        offline: z.boolean().default(false),
        pending: z.boolean().default(false),
        /** Nanoseconds since the leader heard it; 0 is never. */
        active: z.number().default(0),
      }),
    )
    .default([]),
  desired: z.unknown().optional(),
});

const streamDetail = z.object({
  name: z.string(),
  cluster: raftGroup.prefault({}),
  config: z.object({ storage: z.string(), persist_mode: z.string().optional() }),
  state: z.object({ messages: z.number() }),
});

const page = z.object({
  meta_cluster: raftGroup.optional(),
  account_details: z
    .array(z.object({ name: z.string(), stream_detail: z.array(streamDetail).default([]) }))
    .default([]),
});

const PAGE = "jsz?accounts=true&streams=true&config=true&stream-leader-only=true";

/** Asks nodes for the groups that they lead; of one that doesn't answer, for none. */
export async function look(monitors: readonly Monitor[]): Promise<Look> {
  const views = await Promise.all(
    monitors.map(async (node) => {
      try {
        return ledBy(node.name, page.parse((await getPages(node, [PAGE]))[0]));
      } catch {
        return { metaGroup: undefined, streams: [] };
      }
    }),
  );
  const streams = views.flatMap((view) => view.streams);
  return {
    metaGroup: views.find(({ metaGroup }) => metaGroup)?.metaGroup,
    streams: new Map(streams.map((stream) => [groupKey(stream), stream])),
  };
}

function ledBy(node: string, { meta_cluster: meta, account_details }: z.output<typeof page>) {
  const streams = account_details.flatMap(({ name: account, stream_detail }) =>
    stream_detail
      .filter(({ cluster }) => cluster.leader === node)
      .map((detail) => toStream(account, detail)),
  );
  const metaGroup = meta?.leader === node ? toGroup("", "meta group", meta) : undefined;
  return { metaGroup, streams };
}

function toStream(
  account: string,
  { name, cluster, config, state }: z.output<typeof streamDetail>,
): LedGroup {
  const isVolatile = config.storage === "memory" || config.persist_mode === "async";
  const group = toGroup(account, name, cluster);
  return { ...group, volatileMessages: isVolatile ? state.messages : 0 };
}

function toGroup(
  account: string,
  name: string,
  { leader, replicas, desired }: z.output<typeof raftGroup>,
): LedGroup {
  const members = replicas.filter(({ pending }) => !pending);
  const heard = members.filter(({ active }) => active > 0 && active < LATELY_NS);
  const current = heard.filter(({ current, offline }) => current && !offline);
  return {
    account,
    name,
    leader,
    hosts: [leader, ...members.map(({ name }) => name).sort()],
    hasMajority: 1 + heard.length >= majorityOf(1 + members.length),
    isComplete: current.length === members.length,
    isChanging: Boolean(desired),
    volatileMessages: 0,
  };
}
