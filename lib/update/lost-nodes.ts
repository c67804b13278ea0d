/** What is lost with nodes whose machines are gone for good, and what becomes of the rest. */
import { countOf } from "../base/wording.ts";
import type { ObservedStream } from "../observed/observed.ts";
import { majorityOf } from "../placement/survivability.ts";
import { describeContents } from "../streams/stream-loss.ts";
import { type StreamName, streamKey, streamNamer, streamsExcept } from "../streams/stream-name.ts";

/** A stream with replicas on lost nodes. */
export interface StreamFate extends StreamName {
  /**
   * - `whole`: every message that was acknowledged is on a replica that is left.
   * - `cut`: the last ones may have been on lost replicas only.
   * - `gone`: no replica is left.
   */
  readonly kind: "whole" | "cut" | "gone";
  /** Number of replicas that are left. */
  readonly left: number;
  /** Number of replicas that there were; 0 if that isn't known. */
  readonly replicas: number;
  readonly messages: number;
  readonly bytes: number;
}

/**
 * What becomes of the streams that have, or had, replicas on lost nodes.
 *
 * A message is acknowledged once a majority of the replicas has it. So each set of replicas that leaves no majority
 * outside it has all of them. Among those that are left, the one with the longest log is elected (nats-server 2.15,
 * `EvictPeers` in server/raft.go; observed with one of two and one of three replicas left).
 *
 * @param streams those of which a node has a replica that isn't lost.
 * @param known all streams that there are.
 */
export function fatesOf(
  streams: readonly ObservedStream[],
  known: readonly StreamName[],
  lost: ReadonlySet<string>,
): StreamFate[] {
  const touched = streams.filter(({ hosts }) => hosts.some((host) => lost.has(host)));
  return [
    ...touched.map((stream) => fateOf(stream, lost)),
    ...streamsExcept(known, streams).map(gone),
  ];
}

function fateOf(stream: ObservedStream, lost: ReadonlySet<string>): StreamFate {
  const { account, name, hosts, pending, messages, bytes } = stream;
  const voters = hosts.filter((host) => !pending.includes(host));
  const left = voters.filter((host) => !lost.has(host)).length;
  const leavesMajority = voters.length - left >= majorityOf(voters.length);
  // Whether there is a leader tells nothing: without its majority it goes on calling itself that for seconds.
  const kind = leavesMajority ? "cut" : "whole";
  return { account, name, kind, left, replicas: voters.length, messages, bytes };
}

function gone({ account, name }: StreamName): StreamFate {
  return { account, name, kind: "gone", left: 0, replicas: 0, messages: 0, bytes: 0 };
}

/** Lines for users, one sentence each. */
export interface LossNotice {
  /** What goes on without a loss. */
  readonly notices: readonly string[];
  /** What is lost, as the settings allow. */
  readonly allowed: readonly string[];
  /** What would be lost, though no setting allows it. */
  readonly refused: readonly string[];
}

/**
 * Describes fates of streams.
 *
 * @param expendable streams whose messages may be lost.
 */
export function describeFates(
  fates: readonly StreamFate[],
  expendable: readonly StreamName[],
): LossNotice {
  const mayGo = new Set(expendable.map(streamKey));
  const nameOf = streamNamer(fates);
  const lines = (matches: (fate: StreamFate) => boolean) =>
    fates.filter(matches).map((fate) => `stream ${nameOf(fate)} ${describeFate(fate)}`);
  return {
    notices: lines(({ kind }) => kind === "whole"),
    allowed: lines((fate) => fate.kind !== "whole" && mayGo.has(streamKey(fate))),
    refused: lines((fate) => fate.kind !== "whole" && !mayGo.has(streamKey(fate))),
  };
}

function describeFate({ kind, left, replicas, messages, bytes }: StreamFate): string {
  const share = `has ${left} of ${countOf(replicas, "replica")} left`;
  switch (kind) {
    case "whole":
      return `${share}, which lack nothing`;
    case "cut":
      return `${share}, with ${describeContents({ messages, bytes })}: the last ones that were acknowledged may be lost`;
    case "gone":
      return "has no replica left: all of its messages are lost";
  }
}

/** The error for losses that no setting allows. @param nodes names of the lost nodes. */
export function describeRefusedLosses(
  nodes: readonly string[],
  refused: readonly string[],
): string {
  return `lost: with ${nodes.join(", ")}, messages would be lost, and nothing was changed:\n${refused.map((line) => `  ${line}`).join("\n")}\nIf the machine can come back, take it out of lost, and wait. To let them go, say allowDataLoss: true in the stream's settings, with adopt: true where it was in none; or delete the stream.`;
}

/** The error if no node that is left says whether it hears of one that is named as lost. */
export function describeUnasked(node: string): string {
  return `lost: none of the other servers says whether it hears of ${node}; run it again once they answer`;
}

/**
 * How many votes the rest of a meta group needs for a leader (`$JS.API.META.RESCUE`, nats-server 2.15): a majority of
 * those that are left, so that they can't become two groups. Undefined if they are a majority of all members, and elect
 * one by themselves.
 *
 * @param members names or ids of all members.
 */
export function rescueQuorum(
  members: readonly string[],
  lost: ReadonlySet<string>,
): number | undefined {
  const left = members.filter((member) => !lost.has(member)).length;
  return left >= majorityOf(members.length) ? undefined : majorityOf(left);
}

/** What is said of a meta group whose majority is lost; undefined if it isn't. */
export function describeMetaLoss(
  members: readonly string[],
  lost: ReadonlySet<string>,
): string | undefined {
  if (rescueQuorum(members, lost) === undefined) return undefined;
  const left = members.filter((member) => !lost.has(member)).length;
  return `the meta group has lost ${members.length - left} of its ${members.length} members: it goes on by what the others know, in which the last changes of streams by others than this stack may be missing`;
}

/**
 * The nodes of lost engines that are still members of the meta group or in the stack's state. A node that came back
 * joins again after five minutes, although the state no longer has it.
 *
 * @param keys of the lost engines: regions or zones.
 * @param recorded names of the nodes that the state has there.
 * @param members names of the meta group's members, as far as they are known.
 * @param own names of the nodes in the settings, and of those that leave.
 */
export function findLostNodes(
  keys: readonly string[],
  recorded: readonly string[],
  members: readonly string[],
  own: ReadonlySet<string>,
): string[] {
  const isOfLost = (name: string) => keys.some((key) => name === key || name.startsWith(`${key}-`));
  const strays = members.filter((name) => !own.has(name) && isOfLost(name));
  return [...new Set([...recorded, ...strays])].sort();
}
