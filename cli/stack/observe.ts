import { z } from "zod";
import { monitorsOf, type StackOutputs } from "../../lib/outputs.ts";
import { getPages, type Monitor, type NodeView, viewOf } from "../../providers/monitoring.ts";

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
  /** The streams that this node holds a replica of. */
  readonly streams: readonly StreamSighting[];
}

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
  /** What is going on, while the stream moves or scales. */
  readonly change?: string;
}

export interface Follower {
  readonly name: string;
  readonly current: boolean;
  readonly offline: boolean;
  /** Being added: not counted yet. */
  readonly pending: boolean;
  /** Operations behind the leader. */
  readonly lag: number;
}

const follower = z.object({
  name: z.string(),
  current: z.boolean().default(false),
  offline: z.boolean().default(false),
  pending: z.boolean().default(false),
  lag: z.number().default(0),
});

const streamDetail = z.object({
  name: z.string(),
  cluster: z
    .object({
      leader: z.string().default(""),
      replicas: z.array(follower).default([]),
      desired: z.object({ status: z.object({ description: z.string() }).optional() }).nullish(),
    })
    .prefault({}),
  config: z.object({
    num_replicas: z.number().default(1),
    placement: z.object({ tags: z.array(z.string()).nullish() }).nullish(),
  }),
  state: z.object({ messages: z.number(), bytes: z.number() }),
});

const streamsOfAccounts = z.object({
  account_details: z
    .array(z.object({ name: z.string(), stream_detail: z.array(streamDetail).default([]) }))
    .default([]),
});
const variables = z.object({
  version: z.string(),
  uptime: z.string(),
  tags: z.array(z.string()).default([]),
  tls_cert_not_after: z.string().optional(),
});

/** Asks every node for what it knows. A node that doesn't answer holds nobody up for more than 2 s. */
export async function observe(
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
  const pages = ["varz", "jsz?accounts=true&streams=true&config=true", "healthz"];
  try {
    const [server, stats, health] = await getPages(node, pages);
    const { account_details: accounts } = streamsOfAccounts.parse(stats);
    const { tls_cert_not_after: certificateUntil, ...known } = variables.parse(server);
    const answer = {
      ...known,
      ...(certificateUntil === undefined ? {} : { certificateUntil }),
      ...viewOf(stats, health),
      streams: accounts.flatMap(({ name, stream_detail: streams }) =>
        streams.map((stream) => toSighting(name, stream)),
      ),
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

function toSighting(account: string, detail: z.output<typeof streamDetail>): StreamSighting {
  const { name, cluster, config, state } = detail;
  return {
    account,
    name,
    tags: config.placement?.tags ?? [],
    replicaCount: config.num_replicas,
    leader: cluster.leader,
    followers: cluster.replicas,
    messages: state.messages,
    bytes: state.bytes,
    ...(cluster.desired
      ? { change: cluster.desired.status?.description ?? "a change is under way" }
      : {}),
  };
}
