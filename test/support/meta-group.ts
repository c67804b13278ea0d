import { monitorsOf, type StackOutputs } from "../../lib/plan/outputs.ts";
import { getPages } from "../../live/monitoring/monitoring.ts";

/** The meta groups that the nodes report, as "leader of size": one entry if all agree. */
export async function metaGroups(outputs: StackOutputs): Promise<string[]> {
  const groups = await Promise.all(
    monitorsOf(outputs).map(async (node) => {
      const [page] = await getPages(node, ["jsz"]);
      const { meta_cluster } = page as {
        meta_cluster: { leader: string; cluster_size: number };
      };
      return `${meta_cluster.leader} of ${meta_cluster.cluster_size}`;
    }),
  );
  return [...new Set(groups)];
}
