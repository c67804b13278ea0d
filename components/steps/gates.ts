import * as pulumi from "@pulumi/pulumi";
import { type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import type { Restarts } from "../foresight/plan-restarts.ts";
import type { NatsNode } from "../nats-node.ts";
import { createScript, NOTHING, nodeVariables, runCommand } from "./script.ts";
import { scriptPatience } from "./script-patience.ts";
import type { StepArgs } from "./step-args.ts";

/** URL of the monitoring pages of nodes, by name. */
export function monitoringUrls(nodes: readonly NodePlan[]): Record<string, string> {
  return Object.fromEntries(nodes.map(({ name, monitoringUrl }) => [name, monitoringUrl]));
}

/**
 * Makes the gate before the first wave: whatever restarts a node updates it, and it refuses where the
 * cluster isn't well, also where it is itself replaced by then. It knows nothing of containers that somebody removed,
 * whose return it must not bar.
 */
export function createStartGate(
  name: string,
  { plan, ownership, before, caCertificate }: StepArgs,
  labels: (node: NodePlan) => string,
  drain: pulumi.Resource,
  parent: pulumi.Resource,
): pulumi.Resource {
  const settings = plan.waves.map((wave) =>
    Object.fromEntries(wave.map((node) => [node.name, labels(node)])),
  );
  const update = plan.rollout === "all" ? NOTHING : runCommand("start-gate");
  return createScript(
    name,
    {
      create: before.containers.size === 0 ? NOTHING : update,
      update,
      environment: {
        SETTINGS: JSON.stringify(settings),
        ...nodeVariables({ plan, ownership }, caCertificate),
      },
      isHeard: true,
    },
    { parent, dependsOn: [drain] },
  );
}

/**
 * Makes the gate behind a wave. The first boot needs all nodes at once, as a new meta group elects its
 * leader only when every member is there: so only the last gate waits when it is created, unless there was
 * a cluster whose nodes are now to be changed in more waves. A container that was replaced updates the gate
 * behind its wave, and that one waits until all is well again.
 *
 * @param index of the wave right before the gate: where containers of its nodes were replaced, it waits again.
 * @param nodes those of that wave at least, by name.
 */
export function createGate(
  name: string,
  { plan, ownership, before, caCertificate, restarts }: StepArgs & { readonly restarts: Restarts },
  index: number,
  nodes: ReadonlyMap<string, NatsNode>,
  parent: pulumi.Resource,
): pulumi.Resource {
  const { waves } = plan;
  const isLast = index === waves.length - 1;
  const isWhole = nodesOf(plan).every((node) => before.containers.has(node.containerName));
  const wave = waves[index] ?? [];
  const made = wave.flatMap(({ name }) => nodes.get(name) ?? []);
  const containers = pulumi.all(made.map(({ containerId }) => containerId));
  const isRestarted = wave.some(({ name }) => restarts.restarted.has(name));
  const lacked = isRestarted ? [...restarts.former.keys].sort() : [];
  // Nodes come back to data volumes that were kept with streams, which take their time to elect leaders.
  const first = before.hasKept ? "replicas" : "members";
  return createScript(
    name,
    {
      create: isWhole
        ? runCommand("gate", "replicas")
        : isLast
          ? runCommand("gate", first)
          : NOTHING,
      update: runCommand("gate", "replicas"),
      environment: {
        MONITORS: JSON.stringify(monitoringUrls(waves.slice(0, index + 1).flat())),
        LATER: JSON.stringify(monitoringUrls(waves.slice(index + 1).flat())),
        CONTAINERS: containers.apply((ids) => ids.join(" ")),
        ...scriptPatience(plan),
        ...nodeVariables({ plan, ownership }, caCertificate),
        ...(lacked.length > 0 ? { LACKED: JSON.stringify(lacked) } : {}),
      },
      // What the cluster lacked before counts while nodes are restarted.
      passing: isRestarted ? {} : { LACKED: undefined },
      isHeard: true,
    },
    { parent },
  );
}

/**
 * Makes the step behind the last gate: where tags or stores were changed by reloads, streams wait until the meta leader,
 * which places them, has heard of it. A server tells of its tags at once, but once a second at most (nats-server 2.15,
 * `statszRateLimit`).
 *
 * @param hasGrowth whether reloads give nodes more room for streams.
 */
export function createTagPause(
  name: string,
  { plan }: Pick<StepArgs, "plan">,
  hasGrowth: boolean,
  gates: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const tags = nodesOf(plan).map((node) => [node.name, node.serverTags] as const);
  const stores = nodesOf(plan).map(({ conf }) => [conf.maxFileStore, conf.maxMemoryStore]);
  return createScript(
    name,
    {
      update: "sleep 1.2",
      environment: { TAGS: JSON.stringify(Object.fromEntries(tags)) },
      passing: { STORES: hasGrowth ? JSON.stringify(stores) : undefined },
    },
    { parent, dependsOn: [...gates] },
  );
}
