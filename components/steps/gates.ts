import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { formerEnginesVariable } from "../../live/engine/told-engines.ts";
import type { NatsNode } from "../nats-node.ts";
import type { LostNodes } from "../preflight/lost-nodes.ts";
import type { Restarts } from "../preflight/plan-restarts.ts";
import { createScript, NOTHING, nodeVariables, runCommand } from "./script.ts";
import { scriptPatience } from "./script-patience.ts";
import type { StepArgs } from "./step-args.ts";

/**
 * Creates the gate before the first wave. It runs if any node is to be restarted, also when the Command itself is
 * replaced, and fails if the cluster isn't healthy. Its inputs don't depend on removed containers, because it must not
 * block their return.
 */
export function createStartGate(
  name: string,
  { plan, ownership, engines, before, caCertificate }: StepArgs,
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
        ...nodeVariables({ plan, ownership, engines }, caCertificate),
      },
      transient: formerEnginesVariable(engines),
      showsStderr: true,
    },
    { parent, dependsOn: [drain] },
  );
}

/**
 * Creates the gate behind a wave. On the first boot all nodes have to start at once, because a new meta group elects
 * its leader only when every member is up: so on creation only the last gate waits, unless an existing cluster is now
 * changed in more waves. A replaced container updates the gate behind its wave, which then waits until the cluster is
 * healthy.
 *
 * @param index of the wave before the gate.
 * @param nodes at least those of that wave, by name.
 */
export function createGate(
  name: string,
  {
    plan,
    ownership,
    engines,
    before,
    caCertificate,
    restarts,
    lostNodes,
  }: StepArgs & { readonly restarts: Restarts; readonly lostNodes?: LostNodes },
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
  const former = isRestarted ? [...restarts.former.keys].sort() : [];
  // Streams get new replicas for lost ones after the nodes.
  const lacked = [...former, ...(lostNodes?.lacks ?? [])];
  // Nodes that return to kept volumes may hold streams, which take time to elect leaders.
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
        SO_FAR: namesIn(waves.slice(0, index + 1)),
        LATER: namesIn(waves.slice(index + 1)),
        CONTAINERS: containers.apply((ids) => ids.join(" ")),
        ...scriptPatience(plan),
        ...nodeVariables({ plan, ownership, engines }, caCertificate),
        ...(lacked.length > 0 ? { LACKED: JSON.stringify(lacked) } : {}),
      },
      // What the cluster lacked before the update matters only while nodes are restarted, or let go of.
      transient: {
        ...(isRestarted || lacked.length > 0 ? {} : { LACKED: undefined }),
        ...formerEnginesVariable(engines),
      },
      showsStderr: true,
    },
    { parent },
  );
}

function namesIn(waves: ClusterPlan["waves"]): string {
  return JSON.stringify(waves.flat().map(({ name }) => name));
}

/**
 * Creates the step behind the last gate: if reloads changed tags or storage limits, streams wait until the meta leader,
 * which places them, has received them. A server announces its tags at once, but at most once a second (nats-server
 * 2.15, `statszRateLimit`).
 *
 * @param hasGrowth whether reloads raise the storage limits of nodes.
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
      transient: { STORES: hasGrowth ? JSON.stringify(stores) : undefined },
    },
    { parent, dependsOn: [...gates] },
  );
}
