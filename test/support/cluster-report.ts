import { type ClusterReport, reportOn } from "../../cli/inspection/cluster-report.ts";
import type {
  Follower,
  NodeAnswer,
  NodeObservation,
  StreamSighting,
} from "../../cli/inspection/observe.ts";
import { peerId } from "../../lib/observed/meta-group.ts";
import { plannedHosts } from "../../lib/placement/placement.ts";
import type { StackOutputs } from "../../lib/plan/outputs.ts";
import { type ClusterPlan, nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";

/** The time of the reports. */
export const NOW = Date.parse("2026-11-26T08:00:00Z");

/** Plans a cluster as stack `dev` would, with the seed's ports. */
export function planOf(settings: object): ClusterPlan {
  const raw = { clientPort: 4222, monitorPort: 8222, ...settings };
  return planCluster(parseSettings(raw, { project: "nats-regions", stack: "dev" }));
}

/** The outputs of an `up` with this plan. */
export function outputsOf(plan: ClusterPlan): StackOutputs {
  const urls = (url: (node: { clientPort: number; monitorPort?: number }) => string) =>
    Object.fromEntries(nodesOf(plan).map((node) => [node.name, url(node)]));
  return {
    clientUrls: urls(({ clientPort }) => `nats://127.0.0.1:${clientPort}`),
    monitoringUrls: urls(({ monitorPort }) => `http://127.0.0.1:${monitorPort}`),
    streams: Object.fromEntries(
      plan.streams.map((stream) => {
        const [leader = "", ...others] = hostsFor(stream);
        const tags = [...(stream.config.placement?.tags ?? [])];
        const replicas = [leader, ...others].sort();
        const { key, name, account } = stream;
        return [
          key,
          {
            ...(name === key ? {} : { stream: name }),
            account,
            tags,
            leader,
            replicas,
            ...(stream.consumers.length > 0
              ? {
                  consumers: Object.fromEntries(
                    stream.consumers.map((each) => [each.name, { leader, replicas }]),
                  ),
                }
              : {}),
          },
        ];
      }),
    ),
  };
}

/** The answers of a healthy cluster: the first planned host of each stream leads it. */
export function observationsOf(plan: ClusterPlan): Map<string, NodeAnswer> {
  const sightings = plan.streams.map((stream): StreamSighting => {
    const [leader = "", ...others] = hostsFor(stream);
    return {
      account: stream.account,
      name: stream.name,
      tags: stream.config.placement?.tags ?? [],
      replicaCount: stream.config.num_replicas ?? 1,
      leader,
      followers: followersOn(others),
      messages: 1234,
      bytes: 98_765,
      origins: [],
      consumers: stream.consumers.map(({ name, config }) => ({
        name,
        replicaCount: config.num_replicas ?? 0,
        leader: others[0] ?? leader,
        followers: followersOn([leader, ...others.slice(1)]),
        pending: 34,
        ackPending: 2,
        isPaused: false,
      })),
    };
  });
  const nodes = nodesOf(plan);
  return new Map(
    nodes.map(({ name, serverTags, conf }) => [
      name,
      {
        version: "2.15.2",
        uptime: "3m12s",
        tags: serverTags,
        health: "",
        metaLeader: nodes.at(-1)?.name ?? "",
        metaSize: nodes.length,
        room: {
          file: { max: conf.maxFileStore, reserved: 0, used: 98_765 },
          memory: { max: conf.maxMemoryStore, reserved: 0, used: 0 },
        },
        accounts: [],
        peers: nodes.map((node) => ({ id: peerId(node.name), name: node.name, well: true })),
        streams: sightings.filter(
          ({ leader, followers }) =>
            leader === name || followers.some((peer) => peer.name === name),
        ),
      },
    ]),
  );
}

function followersOn(hosts: readonly string[]): Follower[] {
  return hosts.map((name) => ({ name, current: true, offline: false, pending: false, lag: 0 }));
}

/** Reports on answers; planned nodes without one are silent. */
export function reportOf(
  plan: ClusterPlan,
  answers: ReadonlyMap<string, NodeAnswer> = observationsOf(plan),
): ClusterReport {
  const observations = nodesOf(plan).map(({ name }): NodeObservation => {
    const answer = answers.get(name);
    return answer ? { name, answer } : { name };
  });
  const outputs = outputsOf(plan);
  return reportOn({ stack: "dev", stackOption: "", outputs, observations, plan, now: NOW });
}

/** Hosts that the server might choose: in different zones. */
function hostsFor(stream: ClusterPlan["streams"][number]): readonly string[] {
  const byZone = Map.groupBy(plannedHosts(stream.placement), (host) => host.split("-")[1]);
  return [...byZone.values()]
    .flatMap(([host]) => host ?? [])
    .slice(0, stream.config.num_replicas ?? 1);
}
