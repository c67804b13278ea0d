import { monitorsOf, type StackOutputs } from "../../lib/plan/outputs.ts";
import { getPages, type Monitor } from "../../live/monitoring/monitoring.ts";

/** The meta group as a node reports it. */
export async function metaGroupOf(
  node: Monitor,
): Promise<{ readonly leader: string; readonly cluster_size: number }> {
  const [page] = await getPages(node, ["jsz"]);
  const { meta_cluster } = page as {
    meta_cluster: { leader: string; cluster_size: number };
  };
  return meta_cluster;
}

/** The meta groups that the nodes report, as "leader of size": one entry if all agree. */
export async function metaGroups(outputs: StackOutputs): Promise<string[]> {
  const groups = await Promise.all(monitorsOf(outputs).map(metaGroupOf));
  return [...new Set(groups.map(({ leader, cluster_size }) => `${leader} of ${cluster_size}`))];
}
