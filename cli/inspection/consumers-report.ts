/** The consumers of a running cluster's streams, compared with the outputs of the last `up`. */
import { consumerReplicas } from "../../lib/consumers/consumer-replicas.ts";
import type { StreamOutput } from "../../lib/plan/outputs.ts";
import { type StreamName, streamKey } from "../../lib/streams/stream-name.ts";
import type { ConsumerSighting, NodeObservation } from "./observe.ts";
import { describeBehind, type ReplicaReport, replicasOf, withSilence } from "./replicas-report.ts";

/**
 * - `in place`: it has its leader and as many replicas as it is to have, all of them current.
 * - `paused`: so it is, and delivers nothing for the time being.
 * - `behind`: a replica is down, missing or not current.
 * - `leaderless`: its replicas have no majority, so it delivers nothing.
 * - `missing`: no node reports it.
 */
export type ConsumerStatus = "in place" | "paused" | "behind" | "leaderless" | "missing";

export interface ConsumerReport {
  readonly name: string;
  readonly verdict: ConsumerStatus;
  /** `""` while there is none. */
  readonly leader: string;
  /** All replicas, the leader first. */
  readonly replicas: readonly ReplicaReport[];
  /** Messages that wait for delivery. */
  readonly pending: number;
  /** Messages that are delivered and not acknowledged. */
  readonly ackPending: number;
}

/**
 * Each consumer's sighting by its leader, because only the leader knows where it stands and how the other replicas are;
 * without one, any sighting.
 *
 * @returns those of a stream.
 */
export function findConsumers(
  observations: readonly NodeObservation[],
): (stream: StreamName) => readonly ConsumerSighting[] {
  const silent = new Set(observations.filter(({ answer }) => !answer).map(({ name }) => name));
  const found = new Map<string, Map<string, ConsumerSighting>>();
  for (const { name: node, answer } of observations) {
    for (const { consumers, ...stream } of answer?.streams ?? []) {
      const key = streamKey(stream);
      const best = found.get(key) ?? new Map<string, ConsumerSighting>();
      found.set(key, best);
      for (const consumer of consumers) {
        if (best.has(consumer.name) && consumer.leader !== node) continue;
        best.set(consumer.name, withSilence(ledBy(consumer, silent), silent));
      }
    }
  }
  return (stream) => [...(found.get(streamKey(stream))?.values() ?? [])];
}

/** A follower may go on naming a leader that is gone. */
function ledBy(consumer: ConsumerSighting, silent: ReadonlySet<string>): ConsumerSighting {
  return silent.has(consumer.leader) ? { ...consumer, leader: "" } : consumer;
}

interface JudgedConsumer {
  readonly report: ConsumerReport;
  /** What is wrong with it. */
  readonly problem?: string;
}

/**
 * Judges the consumers of one stream.
 *
 * @param ofStream number of the stream's replicas.
 * @returns those in the outputs, and the number of others.
 */
export function judgeConsumers(
  { consumers: wanted = {} }: Pick<StreamOutput, "consumers">,
  sightings: readonly ConsumerSighting[],
  ofStream: number,
): { readonly consumers: readonly JudgedConsumer[]; readonly others: number } {
  const seen = new Map(sightings.map((sighting) => [sighting.name, sighting]));
  return {
    consumers: Object.keys(wanted).map((name) => judge(name, seen.get(name), ofStream)),
    others: sightings.filter(({ name }) => !Object.hasOwn(wanted, name)).length,
  };
}

function judge(
  name: string,
  sighting: ConsumerSighting | undefined,
  ofStream: number,
): JudgedConsumer {
  if (!sighting) {
    return {
      report: { name, verdict: "missing", leader: "", replicas: [], pending: 0, ackPending: 0 },
      problem: "no node that answers knows this consumer",
    };
  }
  const { leader, pending, ackPending, isPaused, replicaCount } = sighting;
  const replicas = replicasOf(sighting);
  const as = (verdict: ConsumerStatus, problem?: string) => ({
    report: { name, verdict, leader, replicas, pending, ackPending },
    ...(problem === undefined ? {} : { problem }),
  });
  if (leader === "") {
    return as("leaderless", "no leader, as too few of its replicas are there to elect one");
  }
  const expected = consumerReplicas({ num_replicas: replicaCount }, { num_replicas: ofStream });
  if (replicas.length < expected) {
    return as("behind", `${replicas.length} of ${expected} replicas have a server`);
  }
  const behind = replicas.filter(({ current }) => !current);
  if (behind.length > 0) return as("behind", behind.map(describeBehind).join(", "));
  return as(isPaused ? "paused" : "in place");
}
