import { z } from "zod";
import type { Store, StoreKind } from "../../lib/placement/room.ts";
import type { OriginState } from "../../lib/plan/origins.ts";
import { monitorsOf, type StackOutputs } from "../../lib/plan/outputs.ts";
import type { ObservedAccount } from "../../lib/update/room-changes.ts";
import {
  type HomedStream,
  isChanging,
  parseJsz,
  type RaftMember,
  STREAMS_PAGE,
  type StreamDetail,
} from "../../live/monitoring/jsz.ts";
import { getPages, type Monitor, type NodeView, viewOf } from "../../live/monitoring/monitoring.ts";

/** What the monitoring pages of one node say; no answer where it can't be reached. */
export interface NodeObservation {
  readonly name: string;
  readonly answer?: NodeAnswer;
  /** It runs, but what it says is not to be believed any more: its certificate has expired, or its authority's. */
  readonly hasExpired?: true;
}

export interface NodeAnswer extends NodeView {
  readonly version: string;
  /** As nats-server writes it, e.g. `3m12s`. */
  readonly uptime: string;
  readonly tags: readonly string[];
  /** When its certificate ends, RFC 3339; not there without TLS. */
  readonly certificateUntil?: string;
  readonly room: Readonly<Record<StoreKind, Store>>;
  readonly accounts: readonly ObservedAccount[];
  /** The streams that this node holds a replica of. */
  readonly streams: readonly StreamSighting[];
}

export type Follower = Pick<RaftMember, "name" | "current" | "offline" | "pending" | "lag">;

/** A stream as one of its servers sees it. */
export interface StreamSighting {
  readonly account: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** How many replicas its config asks for. */
  readonly replicaCount: number;
  /** `""` while there is none. */
  readonly leader: string;
  /** The replicas besides the leader's. */
  readonly followers: readonly Follower[];
  readonly messages: number;
  readonly bytes: number;
  /** What it copies from, if its leader tells. */
  readonly origins: readonly OriginState[];
  /** What is going on, while the stream moves or scales. */
  readonly change?: string;
}

const variables = z.object({
  version: z.string(),
  uptime: z.string(),
  tags: z.array(z.string()).default([]),
  tls_cert_not_after: z.string().optional(),
});

/** Asks every node for what it knows. A node that doesn't answer holds nobody up for more than 2 s. */
export async function askStack(
  outputs: Pick<StackOutputs, "monitoringUrls" | "caCertificate">,
): Promise<NodeObservation[]> {
  return await Promise.all(
    monitorsOf(outputs).map(async (node) => {
      return { name: node.name, ...(await ask(node)) };
    }),
  );
}

/** A page that is not what nats-server answers counts as no answer: something else holds the port. */
async function ask(node: Monitor): Promise<Omit<NodeObservation, "name">> {
  const pages = ["varz", STREAMS_PAGE, "healthz"];
  try {
    const [server, stats, health] = await getPages(node, pages);
    const jsz = parseJsz(stats);
    const { tls_cert_not_after: certificateUntil, ...known } = variables.parse(server);
    const answer = {
      ...known,
      ...(certificateUntil === undefined ? {} : { certificateUntil }),
      ...viewOf(jsz, health),
      room: { file: jsz.file, memory: jsz.memory },
      accounts: jsz.accounts,
      streams: jsz.streams.map((stream) => toSighting(stream, node.name)),
    };
    return { answer };
  } catch (error) {
    return isExpiry(error) ? { hasExpired: true } : {};
  }
}

/** As `node:tls` tells it (OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED). */
function isExpiry(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "CERT_HAS_EXPIRED";
}

function toSighting({ account, stream }: HomedStream, by: string): StreamSighting {
  const { name, cluster, config, state } = stream;
  return {
    account,
    name,
    tags: config.placement.tags,
    replicaCount: config.num_replicas,
    leader: cluster.leader,
    followers: cluster.replicas,
    messages: state.messages,
    bytes: state.bytes,
    origins: cluster.leader === by ? originStates(stream) : [],
    ...(isChanging(stream)
      ? { change: cluster.desired?.status?.description ?? "a change is under way" }
      : {}),
  };
}

function originStates({ mirror, sources }: StreamDetail): OriginState[] {
  return [...(mirror ? [mirror] : []), ...(sources ?? [])];
}
