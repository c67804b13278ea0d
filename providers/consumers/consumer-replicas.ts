/** What a consumer's info says about the servers that know where it stands. */
import { consumerReplicas } from "../../lib/consumers/consumer-replicas.ts";
import type { ConsumerProgress } from "../../lib/streams/stream-loss.ts";
import type { StreamInfo } from "../../live/jetstream/jetstream.ts";

type Placed = Pick<ConsumerProgress, "cluster" | "config">;

/** The hosts that know where it stands, sorted, without those that are being added. */
export function consumerHosts({ cluster }: Placed): string[] {
  const followers = (cluster?.replicas ?? []).filter(({ pending }) => !pending);
  return [
    ...(cluster?.leader ? [cluster.leader] : []),
    ...followers.map(({ name }) => name),
  ].sort();
}

/**
 * Why a durable consumer isn't where it is to be: with a leader, and all its replicas current on hosts of its stream.
 * Undefined if it is. Without a cluster there is nothing to say.
 *
 * @param wasCurrent whether a replica was current at an earlier look: of a consumer in use some are behind at most looks.
 */
export function whyUnsettled(
  consumer: Placed,
  stream: StreamInfo,
  wasCurrent: (host: string) => boolean = () => false,
): string | undefined {
  const { cluster } = consumer;
  if (!cluster) return undefined;
  if (!cluster.leader) return "it has no leader";
  if (cluster.desired) return cluster.desired.status?.description || "its replicas change";
  const hosts = consumerHosts(consumer);
  const expected = consumerReplicas(consumer.config ?? {}, stream.config);
  if (hosts.length !== expected) return `it has ${hosts.length} of ${expected} replicas`;
  const home = new Set(
    [stream.cluster?.leader, ...(stream.cluster?.replicas ?? []).map(({ name }) => name)].flatMap(
      (host) => host ?? [],
    ),
  );
  const strays = hosts.filter((host) => !home.has(host));
  if (strays.length > 0) return `it is still on ${strays.join(", ")}, where its stream is not`;
  const behind = (cluster.replicas ?? []).find(
    ({ name, current, offline, pending }) => offline || pending || !(current || wasCurrent(name)),
  );
  if (!behind) return undefined;
  return behind.offline ? `${behind.name} is down` : `${behind.name} is catching up`;
}
