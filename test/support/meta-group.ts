import { JETSTREAM } from "../../lib/observed/questions.ts";
import { askNode } from "../../live/monitoring/ask-node.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { monitorsOf } from "./monitors.ts";
import type { TestStack } from "./stack.ts";

interface MetaGroup {
  readonly leader: string;
  readonly cluster_size: number;
}

/** The meta group as a node reports it. */
export async function metaGroupOf(node: Monitor): Promise<MetaGroup> {
  const page = await askNode(node, JETSTREAM);
  return (page as { readonly meta_cluster: MetaGroup }).meta_cluster;
}

/** The meta group as each node reports it. */
export async function metaGroupsOf(stack: TestStack): Promise<MetaGroup[]> {
  return await Promise.all((await monitorsOf(stack)).map(metaGroupOf));
}

/** The meta groups that the nodes report, as "leader of size": one entry if all agree. */
export async function metaGroups(stack: TestStack): Promise<string[]> {
  const groups = await metaGroupsOf(stack);
  return [...new Set(groups.map(({ leader, cluster_size }) => `${leader} of ${cluster_size}`))];
}
