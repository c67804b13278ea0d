import { peerId } from "../../lib/observed/meta-group.ts";
import type {
  ObservedCluster,
  ObservedConsumer,
  ObservedServer,
  ObservedStream,
} from "../../lib/observed/observed.ts";
import type { NodeReport } from "../../lib/observed/readiness.ts";

/** The seed's nodes. */
export const NODES = ["az1", "az2", "az3"].flatMap((zone) =>
  ["rg1", "rg2", "rg3"].map((region) => `${region}-${zone}`),
);

export interface Place {
  readonly ill?: readonly string[];
  readonly leader?: string;
  readonly storage?: "file" | "memory";
  readonly messages?: number;
  readonly replicas?: number;
  readonly consumers?: readonly ObservedConsumer[];
}

/** A stream of account APP on some hosts, led by the first one. */
export function streamOn(
  name: string,
  hosts: readonly string[],
  { ill = [], leader = hosts[0] ?? "", messages = 5, consumers = [], ...place }: Place = {},
): ObservedStream {
  const { storage = "file", replicas = hosts.length } = place;
  return {
    account: "APP",
    name,
    config: { name, num_replicas: replicas, storage } as ObservedStream["config"],
    hosts,
    leader,
    ill,
    pending: [],
    isChanging: false,
    messages,
    bytes: 100,
    behind: 0,
    consumers,
  };
}

/** A cluster of {@link NODES} with streams. Silent nodes are unhealthy members of the meta group, too. */
export function clusterWith(
  streams: readonly ObservedStream[],
  { silent = [], full = [] }: { silent?: readonly string[]; full?: readonly string[] } = {},
): ObservedCluster {
  const answering = NODES.filter((name) => !silent.includes(name));
  const [leader = ""] = answering;
  const servers = answering.map((name): ObservedServer => {
    const used = full.includes(name) ? 200 : 50;
    const store = { max: 100, reserved: 0, used };
    return { name, file: store, memory: store };
  });
  return {
    servers,
    silent,
    streams,
    meta: { hosts: NODES, leader, ill: silent, behind: 0 },
  };
}

/** The report of one of {@link NODES} about itself and the meta group. */
export function reportOf(name: string, observed: ObservedCluster): NodeReport {
  if (observed.silent.includes(name)) return { name };
  const ill = observed.streams.find((stream) => stream.ill.includes(name));
  return {
    name,
    metaLeader: observed.meta?.leader ?? "",
    metaSize: NODES.length,
    health: ill ? `JetStream stream 'APP > ${ill.name}' is not current` : "",
    peers: NODES.filter((peer) => peer !== name).map((peer) => ({
      id: peerId(peer),
      name: peer,
      well: !observed.meta?.ill.includes(peer),
    })),
  };
}
