import { OWNER_LABEL } from "../../lib/nodes/labels.ts";
import type { Question } from "../../lib/observed/questions.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import {
  type Engine,
  engineAt,
  engineFromEnvironment,
  labelField,
} from "../../live/engine/engine.ts";
import { listOwnNodes, type OwnNode } from "../../live/engine/own-nodes.ts";
import { askNode } from "../../live/monitoring/ask-node.ts";
import type { TestStack } from "./stack.ts";

/**
 * The nodes whose names begin with a prefix, as the stack asks them.
 *
 * @param prefix e.g. `nats-regions-dev`.
 * @param engines that have them. Default: the one that the environment chooses.
 */
export async function monitorsOn(
  prefix: string,
  trust: Pick<OwnNode, "ca"> = {},
  engines: readonly Engine[] = [engineFromEnvironment()],
): Promise<OwnNode[]> {
  const fields = { owner: labelField(OWNER_LABEL) };
  const found = await Promise.all(
    engines.map((engine) => engine.list(fields, "ps", "--all", `--filter=name=^${prefix}-`)),
  );
  const owners = [...new Set(found.flat().map(({ owner }) => owner))];
  const label = (owner: string) => `${OWNER_LABEL}=${owner}`;
  return (
    await Promise.all(owners.map((owner) => listOwnNodes(engines, label(owner), trust)))
  ).flat();
}

/** The nodes of a plan on its engines, or on the one that the environment chooses. */
export function monitorsOfPlan(plan: ClusterPlan, trust: Pick<OwnNode, "ca">): Promise<OwnNode[]> {
  const places = nodesOf(plan).flatMap(({ engine }) => engine ?? []);
  const engines = new Map(places.map((place) => [place.key, engineAt(place)]));
  return monitorsOn(plan.prefix, trust, engines.size === 0 ? undefined : [...engines.values()]);
}

/** The nodes of a stack by name, as it asks them itself. */
export async function monitorsOf(stack: TestStack): Promise<OwnNode[]> {
  const { caCertificate: ca } = await stack.outputs();
  const nodes = await monitorsOn(`nats-regions-${stack.name}`, ca === undefined ? {} : { ca });
  return nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The answers of all nodes of a stack. */
export async function askAll(stack: TestStack, question: Question): Promise<unknown[]> {
  const nodes = await monitorsOf(stack);
  return await Promise.all(nodes.map((node) => askNode(node, question)));
}
