import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../lib/plan/plan.ts";
import {
  desiredDigests,
  mirrorsOf,
  rosterOf,
  subjectsOf,
} from "../lib/update/remembered-streams.ts";
import type { ManagerConnection } from "../live/jetstream/connection.ts";
import type { ClusterNodes } from "./cluster-nodes.ts";
import type { PlannedCluster } from "./cluster-plan.ts";
import type { FollowedConsumer } from "./consumer-host.ts";
import { independent } from "./known-value.ts";
import { type JetStreamProvider, serversOf } from "./parts/jetstream-provider.ts";
import { StreamRoster } from "./parts/stream-roster.ts";
import type { EngineState } from "./preflight/inspect-engine.ts";
import { streamPatience } from "./steps/script-patience.ts";
import type { FollowedStream, StreamStage } from "./stream-host.ts";

/** Where a consumer lives. */
export interface PlacedConsumer {
  /** Host of its leader. Unknown in a saved plan, as that of a stream. */
  readonly leader: pulumi.Output<string>;
  /** Hosts that know where it stands, the leader's among them, sorted. Unknown in a saved plan, too. */
  readonly replicas: pulumi.Output<readonly string[]>;
}

/** Where a stream lives. */
export interface PlacedStream {
  /** Its name on the servers; absent if that is the same as here. */
  readonly stream?: string | undefined;
  /** Account that it is in. */
  readonly account: pulumi.Output<string>;
  /** Placement tags, in the order in which the server holds them. */
  readonly tags: pulumi.Output<readonly string[]>;
  /** Host of its leader. Unknown in a saved plan, because another replica may lead by the time of the `up`. */
  readonly leader: pulumi.Output<string>;
  /** Hosts that hold a replica, the leader's included, sorted. Unknown in a saved plan, too. */
  readonly replicas: pulumi.Output<readonly string[]>;
  /** Its consumers that have resources, by name on the servers, each with `leader` and `replicas`; absent if there are none. */
  readonly consumers?: Readonly<Record<string, PlacedConsumer>>;
}

/** How the streams of a cluster are reached. */
export interface StreamAccess {
  readonly connection: pulumi.Output<ManagerConnection>;
  /** Stands for the inputs that the provider's `check` adds: unknown while `check` can't run. */
  readonly checked: pulumi.Output<undefined>;
}

/**
 * A preview connects to the nodes with the CA and at the addresses that they have now: a new authority isn't known yet,
 * nobody listens on new ports, and a provider that waits for either would report nothing about streams. A preview that
 * saves a plan, or an `up` with a saved plan, uses the planned CA and addresses, because inputs have to be the same in
 * both.
 */
export function accessStreams(
  { plan, access }: Pick<PlannedCluster, "plan" | "access">,
  { caCertificate, ownPair }: Pick<ClusterNodes, "caCertificate" | "ownPair">,
  before: EngineState,
  goesByPlan: boolean,
): StreamAccess {
  const goesByNodes = pulumi.runtime.isDryRun() && !goesByPlan;
  const asksNow = plan.clientCertificates !== undefined || before.login?.clientCa !== undefined;
  const [trust, running] = goesByNodes
    ? [
        { caCertificate: before.tls?.ca, ownPair: asksNow ? before.login?.pair : undefined },
        before.containers,
      ]
    : [{ caCertificate, ownPair }];
  const connection = pulumi
    .all([serversOf(plan, trust, running), access])
    .apply(([servers, { managerKey }]) => ({ ...servers, managerKey, ...streamPatience(plan) }));
  return {
    // A preview that goes by the nodes depends on no authority.
    connection: independent(connection),
    // A provider that waits for its authority can't check anything. The inputs that `check` removes or adds are then
    // unknown in the plan, because an `up` may leave out what its plan doesn't know.
    checked: independent(pulumi.output(trust.caCertificate)).apply(() => undefined),
  };
}

/**
 * Creates the roster of a cluster's streams. Returns a function that gives the inputs of each stream.
 *
 * @param first what streams wait for besides the roster.
 */
export function createRoster(
  name: string,
  plan: Pick<ClusterPlan, "accounts" | "streams" | "fleet">,
  first: readonly pulumi.Resource[],
  { checked }: Pick<StreamAccess, "checked">,
  provider: JetStreamProvider,
  parent: pulumi.Resource,
): (stream: StreamStage["plan"]) => StreamStage {
  const roster = new StreamRoster(
    name,
    {
      ...rosterOf(plan),
      subjects: checked.apply(() => subjectsOf(plan.streams)),
      mirrors: checked.apply(() => mirrorsOf(plan.streams)),
      leaving: checked,
      begun: desiredDigests(plan.streams),
    },
    // The roster checks the existing streams before anything changes.
    { parent, provider, deletedWith: parent },
  );
  const fleet = checked.apply(() => JSON.stringify(plan.fleet));
  // All streams have the same dependencies, so Pulumi registers them one after the other. With `--parallel 1`, streams
  // that hand subjects to each other would otherwise wait for one that Pulumi registers only after another step, e.g.
  // the shutdown.
  const after = [...first, roster];
  return (stream) => ({ plan: stream, fleet, checked, after });
}

/**
 * Where a stream lives, and its consumers.
 *
 * @param consumers by name on the servers.
 * @param goesByPlan whether an `up` will use, or uses, a saved plan. If outputs then differ from the plan, Pulumi
 * (3.259) exits with 1 and prints no reason, so they are unknown in that preview.
 */
export function placeOf(
  { account, config, ...place }: FollowedStream,
  consumers: ReadonlyMap<string, FollowedConsumer>,
  goesByPlan: boolean,
): PlacedStream {
  const isOpen = pulumi.runtime.isDryRun() && goesByPlan;
  const unlessOpen = <Value>(value: pulumi.Output<Value>) =>
    isOpen ? pulumi.output(pulumi.unknown).apply(() => value) : value;
  const hostsOf = ({ leader, replicas }: Pick<FollowedConsumer, "leader" | "replicas">) => ({
    leader: unlessOpen(leader),
    replicas: unlessOpen(replicas),
  });
  return {
    account,
    tags: config.apply(({ placement }) => placement?.tags ?? []),
    ...hostsOf(place),
    ...(consumers.size > 0
      ? {
          consumers: Object.fromEntries(
            [...consumers].map(([name, consumer]) => [name, hostsOf(consumer)]),
          ),
        }
      : {}),
  };
}
