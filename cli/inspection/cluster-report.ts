import { describeBytes, formatSize } from "../../lib/base/wording.ts";
import { whyNotReady } from "../../lib/observed/readiness.ts";
import { findMisplacement, hostsApart } from "../../lib/placement/in-place.ts";
import { type Fleet, plannedHosts, planPlacement } from "../../lib/placement/placement.ts";
import {
  STORE_KINDS,
  STORE_SETTINGS,
  type Store,
  type StoreKind,
} from "../../lib/placement/room.ts";
import { type OriginState, originError } from "../../lib/plan/origins.ts";
import type { StackOutputs, StreamOutput } from "../../lib/plan/outputs.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { type StreamName, terseNamer } from "../../lib/streams/stream-name.ts";
import { describeExpiry, isDue } from "../../lib/tls/certificate-rules.ts";
import { type ConsumerReport, findConsumers, judgeConsumers } from "./consumers-report.ts";
import type { ConsumerSighting, NodeObservation, StreamSighting } from "./observe.ts";
import { describeBehind, type ReplicaReport, replicasOf, withSilence } from "./replicas-report.ts";

/** The state of a running cluster, compared with its settings. */
export interface ClusterReport {
  readonly stack: string;
  /** Whether nothing is down, unhealthy or misplaced. */
  readonly ok: boolean;
  /** `""` while there is none. */
  readonly metaLeader: string;
  readonly regions: readonly RegionReport[];
  readonly streams: readonly StreamReport[];
  /** Problems, one sentence each. */
  readonly problems: readonly string[];
}

export interface RegionReport {
  readonly name: string;
  readonly zones: readonly ZoneReport[];
}

export interface ZoneReport {
  readonly name: string;
  readonly nodes: readonly NodeStatus[];
}

/**
 * `unwell`: it answers, but reports an error, or its certificate has expired. `planned`: it is in the settings, but not
 * in the cluster yet.
 */
export type NodeState = "up" | "unwell" | "down" | "planned";

export interface NodeStatus {
  readonly name: string;
  readonly state: NodeState;
  /** Present if the settings have it as a witness, which takes no streams. */
  readonly witness?: true;
  readonly tags: readonly string[];
  readonly clientUrl?: string;
  readonly version?: string;
  readonly uptime?: string;
  /** Bytes that streams may use, have reserved and use; absent if the node doesn't answer. */
  readonly room?: Readonly<Record<StoreKind, Store>>;
}

/**
 * - `in place`: as many replicas as requested, on hosts that the tags allow, all of them current.
 * - `moving`: a change is under way.
 * - `behind`: in place, but a replica is down, missing or not current.
 * - `misplaced`: a replica is on a host that the tags don't allow.
 * - `starved`: in place, but it doesn't receive messages from its origin.
 * - `leaderless`: its replicas have no majority, so nothing can be published.
 * - `missing`: no node reports it.
 * - `foreign`: not managed by this stack.
 */
export type StreamStatus =
  | "in place"
  | "moving"
  | "behind"
  | "misplaced"
  | "starved"
  | "leaderless"
  | "missing"
  | "foreign";

export interface StreamReport {
  readonly name: string;
  /** `""` if unknown. */
  readonly account: string;
  readonly verdict: StreamStatus;
  readonly tags: readonly string[];
  /** `""` while there is none. */
  readonly leader: string;
  /** All replicas, the leader first. */
  readonly replicas: readonly ReplicaReport[];
  readonly messages: number;
  readonly bytes: number;
  /** Its origins; absent if it has none, or if its leader doesn't answer. */
  readonly origins?: readonly OriginState[];
  /** The consumers in the outputs; absent if there are none. */
  readonly consumers?: readonly ConsumerReport[];
  /** Number of those that aren't managed by this stack; absent if there are none. */
  readonly otherConsumers?: number;
}

export interface ReportInput {
  readonly stack: string;
  /** Option that makes commands use this stack: ` --stack NAME`, or nothing. */
  readonly stackOption: string;
  readonly outputs: StackOutputs;
  readonly observations: readonly NodeObservation[];
  /** The plan of the settings; absent if they are wrong. */
  readonly plan?: ClusterPlan;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Which nodes were killed for memory, and what to do about it; see `askMemoryKills`. */
  readonly memoryKills?: string | undefined;
  /** Why engines don't answer, by their keys; `""` is that of all nodes. @default all answer */
  readonly silentEngines?: ReadonlyMap<string, string>;
}

/** Evaluates the answers of the nodes. */
export function reportOn(input: ReportInput): ClusterReport {
  const { stack, outputs, observations, plan } = input;
  const regions = arrangeNodes(outputs, observations, plan);
  const judged = judgeStreams(input);
  const problems = [
    ...nodeProblems(input),
    ...roomProblems(observations),
    ...(input.memoryKills === undefined ? [] : [`${input.memoryKills}.`]),
    ...certificateProblems(input),
    ...clientCertificateProblems(input),
    ...judged.flatMap(({ problem, ofConsumers = [] }) => [
      ...(problem === undefined ? [] : [problem]),
      ...ofConsumers,
    ]),
  ];
  const answers = observations.flatMap(({ answer }) => (answer ? [answer] : []));
  return {
    stack,
    ok: problems.length === 0,
    metaLeader: answers.find(({ metaLeader }) => metaLeader !== "")?.metaLeader ?? "",
    regions,
    streams: judged.map(({ stream }) => stream),
    problems,
  };
}

/** All nodes of a report, by region and zone. */
export function nodesIn({ regions }: Pick<ClusterReport, "regions">): NodeStatus[] {
  return regions.flatMap(({ zones }) => zones.flatMap(({ nodes }) => nodes));
}

/** Sorts nodes into regions and zones: planned ones, then those that are no longer in the settings. */
function arrangeNodes(
  { clientUrls }: StackOutputs,
  observations: readonly NodeObservation[],
  plan?: ClusterPlan,
): RegionReport[] {
  const seen = new Map(observations.map((observation) => [observation.name, observation]));
  const planned: RegionReport[] = (plan?.regions ?? []).map((region) => ({
    name: region.name,
    zones: region.zones.map((zone) => ({
      name: zone.name,
      nodes: zone.nodes.map((node) =>
        toNodeReport(node, seen.get(node.name), clientUrls[node.name]),
      ),
    })),
  }));
  const known = new Set(plan ? nodesOf(plan).map(({ name }) => name) : []);
  const others = observations
    .filter(({ name }) => !known.has(name))
    .map((node) => toNodeReport({ ...node, serverTags: [] }, node, clientUrls[node.name]));
  return [...planned, ...groupByTags(others)];
}

function toNodeReport(
  { name, serverTags, witness }: Pick<NodePlan, "name" | "serverTags" | "witness">,
  observation: NodeObservation | undefined,
  clientUrl: string | undefined,
): NodeStatus {
  const answer = observation?.answer;
  return {
    name,
    state: observation === undefined ? "planned" : stateOf(observation),
    ...(witness ? { witness } : {}),
    tags: answer?.tags ?? serverTags,
    ...(clientUrl === undefined ? {} : { clientUrl }),
    ...(answer === undefined
      ? {}
      : { version: answer.version, uptime: answer.uptime, room: answer.room }),
  };
}

function stateOf({ answer, hasExpired }: NodeObservation): NodeState {
  if (hasExpired) return "unwell";
  if (answer === undefined) return "down";
  return answer.health === "" ? "up" : "unwell";
}

function groupByTags(nodes: readonly NodeStatus[]): RegionReport[] {
  const tagOf = (prefix: string) => (node: NodeStatus) =>
    node.tags.find((tag) => tag.startsWith(prefix)) ?? `${prefix}?`;
  return [...Map.groupBy(nodes, tagOf("rg:"))].map(([region, members]) => ({
    name: region,
    zones: [...Map.groupBy(members, tagOf("az:"))].map(([zone, nodes]) => ({ name: zone, nodes })),
  }));
}

function nodeProblems({
  outputs,
  observations,
  silentEngines,
  stackOption,
}: ReportInput): string[] {
  const { clientUrls } = outputs;
  const unheard = observations.filter(({ answer }) => answer === undefined);
  const silent = unheard.filter(({ hasExpired }) => !hasExpired);
  const urls = silent.map(({ name }) => `${name} (${clientUrls[name]})`).join(", ");
  const answers = observations.flatMap(({ name, answer }) => (answer ? [{ name, answer }] : []));
  const unwell = answers.filter(({ answer }) => answer.health !== "");
  const members = answers.map(({ name, answer }) => ({ ...answer, name, health: "" }));
  // Nodes without an answer and unhealthy nodes are reported separately from the meta group.
  const group = whyNotReady(members, unheard);
  return [
    ...[...(silentEngines ?? [])].map(([key, reason]) =>
      key === ""
        ? `The Docker engine doesn't answer, which has the login by which nodes are asked: ${reason}.`
        : `The Docker engine of ${key} doesn't answer: ${reason}.`,
    ),
    ...(silent.length > 0
      ? [
          `No answer from ${urls}. \`npx pulumi up --refresh${stackOption}\` starts what has stopped.`,
        ]
      : []),
    ...(group ? [`Meta group: ${group}.`] : []),
    ...unwell.map(({ name, answer }) => `${name}: ${answer.health}.`),
  ];
}

/** Streams and accounts that accept no more messages because storage has run out (errors 10002 and 10023). */
function roomProblems(observations: readonly NodeObservation[]): string[] {
  const answers = observations.flatMap(({ name, answer }) => (answer ? [{ name, ...answer }] : []));
  const accounts = STORE_KINDS.flatMap((kind) =>
    (answers[0]?.accounts ?? []).flatMap(({ name, [kind]: { limit, used } }) =>
      limit !== undefined && used > 0 && used >= limit
        ? [
            `Account ${name} stores ${formatSize(used)} of the ${describeBytes(limit)} that it may (${STORE_SETTINGS[kind]}), and takes no more messages.`,
          ]
        : [],
    ),
  );
  const nodes = STORE_KINDS.flatMap((kind) =>
    answers.flatMap(({ name, room: { [kind]: store } }) =>
      store.used > 0 && store.used >= store.max
        ? [
            `${name}: its ${kind} store is full: ${formatSize(store.used)} of ${describeBytes(store.max)}.`,
          ]
        : [],
    ),
  );
  return [...accounts, ...nodes];
}

/** Certificates that expire soon. Nodes that stop trusting each other fail all at once. */
function certificateProblems({ observations, plan, now, stackOption }: ReportInput): string[] {
  const lifetime =
    plan?.tls === "stack" ? plan.certificateLifetime / 1e6 : Number.POSITIVE_INFINITY;
  const due = observations.flatMap(({ name, answer, hasExpired }) => {
    if (hasExpired) return [{ name, expiry: "has expired" }];
    const until = answer?.certificateUntil;
    if (!plan || until === undefined || !isDue(until, lifetime, now)) return [];
    return [{ name, expiry: describeExpiry(until, now) }];
  });
  const renews = {
    stack: "renews what is due",
    files: "loads others that are put into the files",
  };
  // With wrong settings it isn't known whether `up` renews the certificates.
  const effect =
    plan && plan.tls !== "none" ? renews[plan.tls] : Object.values(renews).join(", or ");
  const remedy = `\`npx pulumi up${stackOption}\` ${effect}`;
  return [...Map.groupBy(due, ({ expiry }) => expiry)].map(([expiry, nodes]) => {
    const names = nodes.map(({ name }) => name).join(", ");
    return `The certificate of ${names} ${expiry}: ${remedy}.`;
  });
}

/** Certificates for clients, of the user's own, that expire soon. */
function clientCertificateProblems({
  observations,
  plan,
  now,
  stackOption,
}: ReportInput): string[] {
  if (!plan?.clientTls) return [];
  const due = observations.flatMap(({ name, answer }) => {
    const until = answer?.clientCertificateUntil;
    if (until === undefined || !isDue(until, Number.POSITIVE_INFINITY, now)) return [];
    return [{ name, expiry: describeExpiry(until, now) }];
  });
  return [...Map.groupBy(due, ({ expiry }) => expiry)].map(([expiry, nodes]) => {
    const names = nodes.map(({ name }) => name).join(", ");
    return `The certificate for clients of ${names} ${expiry}: put another into the files of clientTls, and \`npx pulumi up${stackOption}\` loads it.`;
  });
}

interface Judgement {
  readonly stream: StreamReport;
  /** The stream's problem, one sentence. */
  readonly problem?: string;
  /** Those of its consumers. */
  readonly ofConsumers?: readonly string[];
}

function judgeStreams({ outputs, observations, plan, stackOption }: ReportInput): Judgement[] {
  const sightings = bestSightings(observations, plan && accountsOf(plan, outputs));
  const consumersOf = findConsumers(observations);
  const fleet = fleetOf(observations, plan);
  const taken = new Set<StreamSighting>();
  const wanted = Object.entries(outputs.streams).map(([key, output]) => {
    const name = output.stream ?? key;
    const account = output.account ?? plan?.accounts[0]?.name;
    const sighting = sightings.find(
      (each) => each.name === name && (account === undefined || each.account === account),
    );
    return { name, account: account ?? "", output, sighting };
  });
  const nameOf = terseNamer([...sightings, ...wanted]);
  const own = wanted.map(({ output, sighting, ...stream }) => {
    if (!sighting) return missing(stream, nameOf(stream), output);
    taken.add(sighting);
    const judgement = judge(sighting, nameOf(sighting), output, fleet);
    const judged =
      judgement.stream.verdict === "misplaced" ? withRemedy(judgement, stackOption) : judgement;
    return withConsumers(judged, nameOf(sighting), output, sighting, consumersOf(sighting));
  });
  const foreign = sightings
    .filter((sighting) => !taken.has(sighting))
    .map((sighting) => ({ stream: toStreamReport(sighting, "foreign") }));
  return [...own, ...foreign];
}

/** Where a stream is ill, so are its consumers: only those that are gone are a problem of their own then. */
function withConsumers(
  judgement: Judgement,
  name: string,
  output: StreamOutput,
  { replicaCount }: StreamSighting,
  seen: readonly ConsumerSighting[],
): Judgement {
  const { consumers, others } = judgeConsumers(output, seen, replicaCount);
  const isWell = judgement.stream.verdict === "in place";
  const named = consumers.filter(({ report }) => isWell || report.verdict === "missing");
  return {
    ...judgement,
    stream: {
      ...judgement.stream,
      ...(consumers.length > 0 ? { consumers: consumers.map(({ report }) => report) } : {}),
      ...(others > 0 ? { otherConsumers: others } : {}),
    },
    ofConsumers: named.flatMap(({ report, problem }) =>
      problem === undefined ? [] : [`${name}/${report.name}: ${problem}.`],
    ),
  };
}

/** The accounts in the settings, and those that have left them before their streams. */
function accountsOf({ accounts }: ClusterPlan, { streams }: StackOutputs): ReadonlySet<string> {
  const ofStreams = Object.values(streams).flatMap(({ account }) => account ?? []);
  return new Set([...accounts.map(({ name }) => name), ...ofStreams]);
}

function withRemedy({ stream, problem }: Judgement, stackOption: string): Judgement {
  const remedy = `\`npx pulumi up --refresh${stackOption}\` puts that right.`;
  return { stream, problem: `${problem} ${remedy}` };
}

/**
 * Each stream's report by its leader, because only the leader knows how the other replicas are; without one, any
 * report.
 */
function bestSightings(
  observations: readonly NodeObservation[],
  accounts?: ReadonlySet<string>,
): StreamSighting[] {
  const best = new Map<string, StreamSighting>();
  const silent = new Set(observations.filter(({ answer }) => !answer).map(({ name }) => name));
  for (const { name: node, answer } of observations) {
    for (const sighting of answer?.streams ?? []) {
      if (accounts && !accounts.has(sighting.account)) continue;
      const key = `${sighting.account} ${sighting.name}`;
      if (best.has(key) && sighting.leader !== node) continue;
      best.set(key, withSilence(sighting, silent));
    }
  }
  return [...best.values()];
}

/** The servers with their current tags; silent ones with their planned tags. */
function fleetOf(observations: readonly NodeObservation[], plan?: ClusterPlan): Fleet {
  const cluster = plan?.fleet.cluster ?? "";
  const planned = new Map(plan?.fleet.servers.map(({ name, tags }) => [name, tags]));
  const servers = observations.map(({ name, answer }) => ({
    name,
    cluster,
    tags: answer?.tags ?? planned.get(name) ?? [],
  }));
  return { cluster, uniqueTag: plan?.fleet.uniqueTag ?? "", servers };
}

function judge(
  sighting: StreamSighting,
  name: string,
  output: StreamOutput,
  fleet: Fleet,
): Judgement {
  const { leader, change, replicaCount } = sighting;
  const replicas = replicasOf(sighting);
  const behind = replicas.filter(({ current }) => !current);
  const as = (verdict: StreamStatus, problem: string): Judgement => ({
    stream: toStreamReport(sighting, verdict),
    problem: `${name}: ${problem}.`,
  });
  if (leader === "") {
    return as("leaderless", "no leader, as too few of its replicas are there to elect one");
  }
  if (change !== undefined) return as("moving", `still moving: ${change}`);
  const misplacement = explainMisplacement(sighting, output, fleet);
  if (misplacement !== undefined) return as("misplaced", misplacement);
  if (replicas.length < replicaCount) {
    return as("behind", `${replicas.length} of ${replicaCount} replicas have a server`);
  }
  if (behind.length > 0) return as("behind", behind.map(describeBehind).join(", "));
  const troubles = sighting.origins.flatMap((origin) => originError(origin) ?? []);
  if (troubles.length > 0) return as("starved", troubles.join("; "));
  return { stream: toStreamReport(sighting, "in place") };
}

/** Why a stream's replicas aren't where they should be. */
function explainMisplacement(
  sighting: StreamSighting,
  { tags }: StreamOutput,
  fleet: Fleet,
): string | undefined {
  const hosts = replicasOf(sighting).map(({ node }) => node);
  const request = { replicas: sighting.replicaCount, tags };
  const placement = planPlacement(request, fleet);
  const allowed = placement.kind === "impossible" ? hosts : plannedHosts(placement);
  const apart = hostsApart({ ...request, replicas: hosts.length }, fleet);
  const misplacement = findMisplacement(hosts, { hosts: allowed, apart });
  if (!misplacement) return undefined;
  if (misplacement.misplaced.length > 0) {
    const wanted = `${tags.length === 0 ? "the settings" : tags.join(" and ")}`;
    return `on ${misplacement.misplaced.join(", ")}, but ${wanted} means ${placement.kind === "exact" ? "" : "some of "}${allowed.join(", ")}`;
  }
  const { uniqueTag } = fleet;
  return `on ${misplacement.crowded.join(" and ")}, which have the same "${uniqueTag}" tag: \`npx pulumi up --refresh\` takes them apart`;
}

function missing(
  { account, name }: StreamName,
  calledName: string,
  { tags }: StreamOutput,
): Judgement {
  const nowhere = { leader: "", replicas: [], messages: 0, bytes: 0 };
  return {
    stream: { name, account, verdict: "missing", tags, ...nowhere },
    problem: `${calledName}: no node that answers knows this stream.`,
  };
}

function toStreamReport(sighting: StreamSighting, verdict: StreamStatus): StreamReport {
  const { name, account, tags, leader, messages, bytes, origins } = sighting;
  return {
    name,
    account,
    verdict,
    tags,
    leader,
    replicas: replicasOf(sighting),
    messages,
    bytes,
    ...(origins.length > 0 ? { origins } : {}),
  };
}
