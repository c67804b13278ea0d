import * as pulumi from "@pulumi/pulumi";
import { begunBy, mirrorsOf, rosterOf, subjectsOf } from "../lib/update/remembered-streams.ts";
import { createRetirement } from "./departure-steps.ts";
import type { Foresight } from "./foresee.ts";
import { JetStreamProvider, serversOf } from "./jetstream-provider.ts";
import type { NatsCluster } from "./nats-cluster.ts";
import { goesByPlan } from "./saved-plan.ts";
import { streamPatience } from "./script-patience.ts";
import type { StackPlan } from "./stack-settings.ts";
import { Stream } from "./stream.ts";
import { StreamRoster } from "./stream-roster.ts";

/** Where a stream lives, as the stack's outputs show it. */
export interface PlacedStream {
  /** Its name on the servers; absent where that is its key. */
  readonly stream?: string;
  readonly account: string;
  readonly tags: readonly string[];
  /** Host that leads it; unknown to a plan that is saved, as another replica may lead by then. */
  readonly leader: pulumi.Output<string> | typeof pulumi.unknown;
  /** Hosts that hold a replica, the leader's among them, sorted. */
  readonly replicas: pulumi.Output<string[]> | typeof pulumi.unknown;
}

/** Makes the streams of a cluster, by key, and empties nodes that leave it once they have moved. */
export function createStreams(
  { plan, ownership, access }: StackPlan,
  { before }: Pick<Foresight, "before">,
  cluster: NatsCluster,
): Readonly<Record<string, PlacedStream>> {
  const { caCertificate, ready } = cluster;
  const isPreview = pulumi.runtime.isDryRun();
  // A preview goes by what the nodes have, and where they are: an authority that is yet to be made isn't known, nobody
  // listens on ports that are yet to be, and nothing would be told of streams by a provider that waits for them. One that
  // saves its plan for an `up`, or goes by one, has to have what that has.
  const goesByNodes = isPreview && !goesByPlan();
  const [trusted, running] = goesByNodes ? [before.tls?.ca, before.containers] : [caCertificate];

  // Pulumi does nothing else while it starts the process that serves streams: in a new cluster, nodes come first.
  const provider = new JetStreamProvider(
    `${plan.cluster}-jetstream`,
    {
      connection: pulumi
        .all([serversOf(plan, trusted, running), access])
        .apply(([servers, { managerKey }]) => ({
          ...servers,
          managerKey,
          ...streamPatience(plan),
        })),
    },
    { parent: cluster, dependsOn: cluster.isNew ? [...cluster.nodes] : [] },
  );

  // Nothing is checked by a provider that waits for its authority. What checks take away of the inputs, or add to them,
  // is unknown to a plan until then, as an `up` may do without what its plan doesn't know.
  const checked = pulumi.output(trusted).apply(() => undefined);
  const fleet = checked.apply(() => plan.fleet);
  const roster = new StreamRoster(
    `${plan.cluster}-streams`,
    {
      ...rosterOf(plan),
      subjects: checked.apply(() => subjectsOf(plan.streams)),
      mirrors: checked.apply(() => mirrorsOf(plan.streams)),
      leaving: checked,
      begun: begunBy(plan.streams),
    },
    // It looks at what is there before anything changes.
    { parent: cluster, provider, deletedWith: cluster },
  );
  const placed = plan.streams.map(({ key, name, account, config, policy }) => {
    const options = {
      parent: cluster,
      provider,
      dependsOn: [...ready, roster],
      // A destroyed cluster takes its streams along, whether or not it still answers.
      deletedWith: cluster.lifespan,
    };
    const args = { stream: name, account, config, policy, fleet, checked };
    const stream = new Stream(key, args, options);
    return { key, name, account, tags: config.placement?.tags ?? [], stream };
  });
  const after = [...ready, ...placed.map(({ stream }) => stream)];
  const retirement = { plan, access, ownership, before, caCertificate, after };
  createRetirement(`${plan.cluster}-retire`, retirement, cluster);

  // Of outputs that aren't what a plan has, Pulumi says no word: it ends with 1.
  const isOpen = isPreview && goesByPlan();
  return Object.fromEntries(
    placed.map(({ key, name, account, tags, stream: { leader, replicas } }) => {
      const place = isOpen
        ? { leader: pulumi.unknown, replicas: pulumi.unknown }
        : { leader, replicas };
      return [key, { ...(name === key ? {} : { stream: name }), account, tags, ...place }];
    }),
  );
}
