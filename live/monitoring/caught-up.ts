/**
 * Tells replicas that are far away from those that lag. A leader calls a replica current only if it has stored all that
 * is committed (nats-server 2.15, `raft.Peers` in server/raft.go). While a stream takes messages, that is hardly ever
 * true of a replica that is some milliseconds away: the next message is on its way.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { streamKey } from "../../lib/streams/stream-name.ts";
import type { Jsz, RaftGroup, RaftMember, StreamDetail } from "./jsz.ts";

/** Pages with streams, by the name of the node that answered. */
export type Pages = ReadonlyMap<string, Jsz>;

/** Milliseconds between two looks: longer than a message travels to the other end of the world. */
const AGAIN_MS = 200;

/**
 * Looks again if a replica isn't current, see {@link withCaughtUp}.
 *
 * @param ask asks the nodes with these names.
 * @returns the pages of the last look, without those of nodes that didn't answer it.
 */
export async function lookAgainAtLag(
  pages: Pages,
  ask: (names: ReadonlySet<string>) => Promise<Pages>,
): Promise<Pages> {
  const lags = groupsIn(pages).some(
    ({ isLeader, group }) =>
      isLeader && group.replicas.some((each) => isBehind(each) && pages.has(each.name)),
  );
  if (!lags) return pages;
  await sleep(AGAIN_MS);
  return withCaughtUp(await ask(new Set(pages.keys())), pages);
}

/**
 * Marks a replica as current if it has all that its leader had at an earlier look, and the leader has got more since.
 * What it has is what its own server says. Where the leader has got nothing, its replicas are current or lag.
 */
export function withCaughtUp(pages: Pages, earlier: Pages): Pages {
  const now = Map.groupBy(groupsIn(pages), ({ key }) => key);
  const before = Map.groupBy(groupsIn(earlier), ({ key }) => key);
  const judge: Judge = (key, group) => {
    const views = now.get(key) ?? [];
    const goal = before.get(key)?.find(({ isLeader }) => isLeader);
    const leader = views.find(({ isLeader }) => isLeader);
    if (!goal || leader?.group !== group || !hasGotMore(leader, goal)) return group;
    const there = new Set(views.filter((view) => hasReached(view, goal)).map(({ by }) => by));
    const replicas = group.replicas.map((member) =>
      isBehind(member) && there.has(member.name)
        ? { ...member, current: true, well: true }
        : member,
    );
    return { ...group, replicas };
  };
  return new Map(
    [...pages].map(([by, page]) => [by, { ...page, streams: page.streams.map(judgedBy(judge)) }]),
  );
}

type Judge = (key: string, group: RaftGroup) => RaftGroup;

function judgedBy(judge: Judge) {
  return ({ account, stream }: Jsz["streams"][number]) => {
    const key = streamKey({ account, name: stream.name });
    const consumers = stream.consumer_detail.map((consumer) => ({
      ...consumer,
      cluster: judge(consumerKey(key, consumer), consumer.cluster),
    }));
    const cluster = judge(key, stream.cluster);
    return { account, stream: { ...stream, cluster, consumer_detail: consumers } };
  };
}

/** A group as a node with a replica of it shows it. */
interface View {
  /** Identifies the group. */
  readonly key: string;
  readonly by: string;
  readonly isLeader: boolean;
  readonly group: RaftGroup;
  /** Sequences in the node's own replica. They never go back. */
  readonly sequences: readonly number[];
}

function groupsIn(pages: Pages): View[] {
  return [...pages].flatMap(([by, { streams }]) =>
    streams.flatMap(({ account, stream }) => {
      const key = streamKey({ account, name: stream.name });
      const toView = (key: string, group: RaftGroup, sequences: readonly number[]): View => ({
        key,
        by,
        isLeader: group.leader === by,
        group,
        sequences,
      });
      return [
        toView(key, stream.cluster, [stream.state.last_seq]),
        ...stream.consumer_detail.map((consumer) => {
          const { cluster, delivered, ack_floor: floor } = consumer;
          const sequences = [delivered.consumer_seq, floor.consumer_seq];
          return toView(consumerKey(key, consumer), cluster, sequences);
        }),
      ];
    }),
  );
}

function consumerKey(stream: string, { name }: StreamDetail["consumer_detail"][number]): string {
  return `${stream} ${name}`;
}

function isBehind({ well, offline, pending }: RaftMember): boolean {
  return !well && !offline && !pending;
}

function hasReached({ sequences }: View, goal: View): boolean {
  return sequences.every((sequence, index) => sequence >= (goal.sequences[index] ?? 0));
}

function hasGotMore(leader: View, before: View): boolean {
  return leader.sequences.some((sequence, index) => sequence > (before.sequences[index] ?? 0));
}
