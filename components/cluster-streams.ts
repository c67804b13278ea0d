import * as pulumi from "@pulumi/pulumi";
import {
  desiredDigests,
  mirrorsOf,
  rosterOf,
  subjectsOf,
} from "../lib/update/remembered-streams.ts";
import type { ManagerConnection } from "../live/jetstream/connection.ts";
import type { ClusterNodes } from "./cluster-nodes.ts";
import type { PlannedCluster } from "./cluster-plan.ts";
import type { EngineState } from "./foresight/inspect-engine.ts";
import { type JetStreamProvider, serversOf } from "./parts/jetstream-provider.ts";
import { StreamRoster } from "./parts/stream-roster.ts";
import { streamPatience } from "./steps/script-patience.ts";
import type { FollowedStream, StreamStage } from "./stream-host.ts";

/** Where a stream lives. */
export interface PlacedStream {
  /** Its name on the servers; absent where that is its name here. */
  readonly stream?: string | undefined;
  /** Account that it is in. */
  readonly account: pulumi.Output<string>;
  /** Placement tags, in the order in which the server holds them. */
  readonly tags: pulumi.Output<readonly string[]>;
  /** Host that leads it; unknown to a plan that is saved, as another replica may lead by then. */
  readonly leader: pulumi.Output<string>;
  /** Hosts that hold a replica, the leader's among them, sorted; unknown to a plan, too. */
  readonly replicas: pulumi.Output<readonly string[]>;
}

/** How the streams of a cluster are reached. */
export interface StreamAccess {
  readonly connection: pulumi.Output<ManagerConnection>;
  /** Stands for what the provider's `check` adds: unknown where that can't be called yet. */
  readonly checked: pulumi.Output<undefined>;
}

/**
 * A preview goes by what the nodes have, and where they are: an authority that is yet to be made isn't known, nobody
 * listens on ports that are yet to be, and nothing would be told of streams by a provider that waits for them. One that
 * saves its plan for an `up`, or goes by one, has to have what that has.
 */
export function accessStreams(
  { plan, access }: Pick<PlannedCluster, "plan" | "access">,
  { caCertificate }: Pick<ClusterNodes, "caCertificate">,
  before: EngineState,
  goesByPlan: boolean,
): StreamAccess {
  const goesByNodes = pulumi.runtime.isDryRun() && !goesByPlan;
  const [trusted, running] = goesByNodes ? [before.tls?.ca, before.containers] : [caCertificate];
  return {
    connection: pulumi
      .all([serversOf(plan, trusted, running), access])
      .apply(([servers, { managerKey }]) => ({ ...servers, managerKey, ...streamPatience(plan) })),
    // Nothing is checked by a provider that waits for its authority. What checks take away of the inputs, or add to them,
    // is unknown to a plan until then, as an `up` may do without what its plan doesn't know.
    checked: pulumi.output(trusted).apply(() => undefined),
  };
}

/** Makes the roster of a cluster's streams; the answer says what each stream is made from. */
export function createRoster(
  name: string,
  { plan }: Pick<PlannedCluster, "plan">,
  { ready, shutdown }: Pick<ClusterNodes, "ready" | "shutdown">,
  { checked }: StreamAccess,
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
    // It looks at what is there before anything changes.
    { parent, provider, deletedWith: parent },
  );
  const fleet = checked.apply(() => plan.fleet);
  // All streams are asked for in a row: with `--parallel 1`, those that hand subjects to each other would wait for one that
  // Pulumi looks at no sooner than another step is done, such as the shutdown's.
  const after = [...ready, shutdown, roster];
  return (stream) => ({ plan: stream, fleet, checked, after });
}

/**
 * Tells where a stream lives.
 *
 * @param goesByPlan of outputs that aren't what a plan has, Pulumi (3.259) says no word: it ends with 1.
 */
export function placeOf(
  { account, config, leader, replicas }: FollowedStream,
  goesByPlan: boolean,
): PlacedStream {
  const isOpen = pulumi.runtime.isDryRun() && goesByPlan;
  const unlessOpen = <Value>(place: pulumi.Output<Value>) =>
    isOpen ? pulumi.output(pulumi.unknown).apply(() => place) : place;
  return {
    account,
    tags: config.apply(({ placement }) => placement?.tags ?? []),
    leader: unlessOpen(leader),
    replicas: unlessOpen(replicas),
  };
}
