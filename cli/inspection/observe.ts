import { z } from "zod";
import { CONSUMERS, HEALTH, VARIABLES } from "../../lib/observed/questions.ts";
import type { Store, StoreKind } from "../../lib/placement/room.ts";
import type { OriginState } from "../../lib/plan/origins.ts";
import type { ObservedAccount } from "../../lib/update/room-changes.ts";
import { closeUnused } from "../../live/jetstream/clients.ts";
import { askNode } from "../../live/monitoring/ask-node.ts";
import { lookAgainAtLag } from "../../live/monitoring/caught-up.ts";
import {
  type HomedStream,
  isChanging,
  type Jsz,
  parseJsz,
  type RaftMember,
  type StreamDetail,
} from "../../live/monitoring/jsz.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import {
  askStreamPages,
  type Health,
  type NodeView,
  parseHealth,
  viewOf,
} from "../../live/monitoring/monitoring.ts";

/** The monitoring pages of one node, parsed; without `answer` if it can't be reached. */
export interface NodeObservation {
  readonly name: string;
  readonly answer?: NodeAnswer;
  /** Whether it runs with an expired certificate, its own or its authority's. */
  readonly hasExpired?: true;
}

export interface NodeAnswer extends NodeView {
  readonly version: string;
  /** In nats-server's notation, e.g. `3m12s`. */
  readonly uptime: string;
  readonly tags: readonly string[];
  /** End of the validity of its certificate for routes, RFC 3339; absent without TLS. */
  readonly certificateUntil?: string;
  /** That of the certificate which it shows to clients: the same one, or one of the user's own. */
  readonly clientCertificateUntil?: string;
  readonly room: Readonly<Record<StoreKind, Store>>;
  readonly accounts: readonly ObservedAccount[];
  /** The streams of which this node holds a replica. */
  readonly streams: readonly StreamSighting[];
}

export type Follower = Pick<RaftMember, "name" | "current" | "offline" | "pending" | "lag">;

/** A stream as one of its servers reports it. */
export interface StreamSighting {
  readonly account: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Number of replicas in its config. */
  readonly replicaCount: number;
  /** `""` while there is none. */
  readonly leader: string;
  /** The replicas without the leader's. */
  readonly followers: readonly Follower[];
  readonly messages: number;
  readonly bytes: number;
  /** Its origins, if the leader reports them. */
  readonly origins: readonly OriginState[];
  /** The consumers of which this server has a replica. */
  readonly consumers: readonly ConsumerSighting[];
  /** The status of a move or scale that is under way. */
  readonly change?: string;
}

/** A consumer as one of its servers reports it. */
export interface ConsumerSighting {
  readonly name: string;
  /** Number of replicas in its config; 0: as many as its stream. */
  readonly replicaCount: number;
  /** `""` while there is none. */
  readonly leader: string;
  /** The replicas without the leader's. */
  readonly followers: readonly Follower[];
  /** Messages that wait for delivery. */
  readonly pending: number;
  /** Messages that are delivered and not acknowledged. */
  readonly ackPending: number;
  readonly isPaused: boolean;
}

const variables = z.object({
  version: z.string(),
  uptime: z.string(),
  tags: z.array(z.string()).default([]),
  tls_cert_not_after: z.string().optional(),
  cluster: z.object({ tls_cert_not_after: z.string().optional() }).default({}),
});

/** Asks every node. A node that doesn't answer delays the result by some 2 s. */
export async function askStack(nodes: readonly Monitor[]): Promise<NodeObservation[]> {
  const found = await Promise.all(nodes.map(async (node) => ({ node, said: await ask(node) })));
  const pages = found.flatMap(({ node, said: { pages } }) =>
    pages ? [[node.name, pages.jsz] as const] : [],
  );
  const settled = await lookAgainAtLag(new Map(pages), async (names) =>
    askStreamPages(
      nodes.filter(({ name }) => names.has(name)),
      CONSUMERS,
    ),
  ).finally(closeUnused);
  return found.map(({ node: { name }, said: { pages, ...rest } }) => {
    if (!pages) return { name, ...rest };
    const jsz = settled.get(name) ?? pages.jsz;
    return { name, answer: toAnswer(name, { ...pages, jsz }) };
  });
}

/** What a node says of itself. */
interface NodePages {
  readonly server: z.output<typeof variables>;
  readonly jsz: Jsz;
  readonly health: Health;
}

/** An answer that isn't nats-server's counts as none: another program uses the port. */
async function ask(
  node: Monitor,
): Promise<{ readonly pages?: NodePages } & Pick<NodeObservation, "hasExpired">> {
  try {
    const questions = [VARIABLES, CONSUMERS, HEALTH];
    const [server, stats, health] = await Promise.all(questions.map((each) => askNode(node, each)));
    const pages = {
      server: variables.parse(server),
      jsz: parseJsz(stats),
      health: parseHealth(health),
    };
    return { pages };
  } catch (error) {
    return isExpiry(error) ? { hasExpired: true } : {};
  }
}

function toAnswer(name: string, { server, jsz, health }: NodePages): NodeAnswer {
  const { tls_cert_not_after: shownUntil, cluster, ...known } = server;
  const certificateUntil = cluster.tls_cert_not_after ?? shownUntil;
  return {
    ...known,
    ...(certificateUntil === undefined ? {} : { certificateUntil }),
    ...(shownUntil === undefined ? {} : { clientCertificateUntil: shownUntil }),
    ...viewOf(jsz, health),
    room: { file: jsz.file, memory: jsz.memory },
    accounts: jsz.accounts,
    streams: jsz.streams.map((stream) => toSighting(stream, name)),
  };
}

/** The error code of `node:tls` (OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED). */
function isExpiry(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === "CERT_HAS_EXPIRED") || isExpiry(error.cause);
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
    consumers: stream.consumer_detail.map(toConsumer),
    ...(isChanging(stream)
      ? { change: cluster.desired?.status?.description ?? "a change is under way" }
      : {}),
  };
}

function toConsumer(consumer: StreamDetail["consumer_detail"][number]): ConsumerSighting {
  const { name, config, cluster, num_pending, num_ack_pending, paused } = consumer;
  return {
    name,
    replicaCount: config?.num_replicas ?? 0,
    leader: cluster.leader,
    followers: cluster.replicas,
    pending: num_pending,
    ackPending: num_ack_pending,
    isPaused: paused,
  };
}

function originStates({ mirror, sources }: StreamDetail): OriginState[] {
  return [...(mirror ? [mirror] : []), ...(sources ?? [])];
}
