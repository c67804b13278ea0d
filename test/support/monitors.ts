import { OWNER_LABEL } from "../../lib/nodes/labels.ts";
import type { Question } from "../../lib/observed/questions.ts";
import { engineFromEnvironment, labelField } from "../../live/engine/engine.ts";
import { listOwnNodes, type OwnNode } from "../../live/engine/own-nodes.ts";
import { askNode } from "../../live/monitoring/ask-node.ts";
import type { TestStack } from "./stack.ts";

/**
 * The nodes on the engine whose names begin with a prefix, as the stack asks them.
 *
 * @param prefix e.g. `nats-regions-dev`.
 */
export async function monitorsOn(prefix: string, trust: Pick<OwnNode, "ca"> = {}) {
  const engine = engineFromEnvironment();
  const fields = { owner: labelField(OWNER_LABEL) };
  const found = await engine.list(fields, "ps", "--all", `--filter=name=^${prefix}-`);
  const owners = [...new Set(found.map(({ owner }) => owner))];
  const label = (owner: string) => `${OWNER_LABEL}=${owner}`;
  return (
    await Promise.all(owners.map((owner) => listOwnNodes([engine], label(owner), trust)))
  ).flat();
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
