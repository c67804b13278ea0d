import * as pulumi from "@pulumi/pulumi";
import type { StackIdentity } from "../lib/plan/settings.ts";
import { type NatsClusterArgs, sourceOf } from "./cluster-args.ts";
import { type ClusterNodes, createNodes } from "./cluster-nodes.ts";
import { type PlannedCluster, planFrom } from "./cluster-plan.ts";
import { accessStreams, createRoster, type StreamAccess } from "./cluster-streams.ts";
import type { DeclaredStreams } from "./declared-streams.ts";
import { isMocked, mockHooks } from "./mocked.ts";
import { transformedFields } from "./node-container.ts";
import { claimPorts } from "./preflight/claimed-ports.ts";
import { runPreflight } from "./preflight/run-preflight.ts";
import { refuseProviders } from "./resource-options.ts";
import { createRetirement } from "./steps/departures.ts";
import { createRemovalGuard } from "./steps/removal.ts";
import type { MadeStreams } from "./stream-cluster.ts";
import type { StreamHost } from "./stream-host.ts";
import { planTransformed } from "./transforms.ts";

/** A cluster after it is planned and its resources are registered. */
export interface MadeCluster extends MadeStreams {
  readonly planned: PlannedCluster;
  readonly nodes: ClusterNodes;
  readonly access: StreamAccess;
  /** Whether no node had a container before. */
  readonly isNew: boolean;
}

/** What a program has declared. */
interface DeclaredCluster {
  /** Name of the cluster's resource. */
  readonly name: string;
  readonly args: NatsClusterArgs;
  readonly streams: DeclaredStreams;
}

/** Plans a cluster, inspects what runs, and registers its resources. */
export async function makeCluster(
  cluster: pulumi.ComponentResource & Pick<StreamHost, "jetStream">,
  { name, args, streams }: DeclaredCluster,
): Promise<MadeCluster> {
  // First, so that streams that are declared later are refused whatever happens below.
  const settings = streams.close();
  refuseProviders(cluster);
  const { settingsIn = "program", goesByPlan = false, transform, owner } = args;
  const source = sourceOf(settingsIn === "config" ? { cluster: name, ...args } : args, settings);
  const identity: StackIdentity = {
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    ...(settingsIn === "program" ? { cluster: name } : {}),
  };
  if (isMocked()) mockHooks();
  const bare = await planFrom(source, identity, owner, cluster);
  const plan = planTransformed(bare.plan, (node) =>
    transformedFields(transform, node, { ...bare.plan, ...bare, networkName: bare.plan.prefix }),
  );
  claimPorts(name, plan);
  const planned = { ...bare, plan };
  const preflight = await runPreflight(planned, goesByPlan ? source : undefined);
  const { before } = preflight;
  const nodesArgs = { ...planned, ...preflight, ...(transform ? { transform } : {}) };
  const nodes = await createNodes(name, nodesArgs, cluster);
  const access = accessStreams(planned, nodes, before, goesByPlan);
  const isNew = before.containers.size === 0;
  const { madeKeys } = streams;
  const stageOf = createRoster(
    `${name}-streams`,
    { ...plan, streams: plan.streams.filter(({ key }) => madeKeys.has(key)) },
    [...nodes.ready, nodes.shutdown],
    access,
    cluster.jetStream,
    cluster,
  );
  const { caCertificate, ownPair } = nodes;
  const stepArgs = { ...planned, before, caCertificate, ownPair };
  const after = [...nodes.ready, ...streams.resources];
  const retirement = createRetirement(`${name}-retire`, stepArgs, after, cluster);
  if (settingsIn === "program") {
    const last = [...streams.resources, retirement, nodes.shutdown];
    createRemovalGuard(`${name}-removal`, stepArgs, last, cluster);
  }
  return { planned, nodes, access, isNew, streams: plan.streams, stageOf };
}
