import type { StackOutputs } from "../../lib/outputs.ts";

/** The meta groups that the nodes believe in, as "leader of size": one entry if all agree. */
export async function metaGroups({ monitoringUrls }: StackOutputs): Promise<string[]> {
  const groups = await Promise.all(
    Object.values(monitoringUrls).map(async (url) => {
      const response = await fetch(`${url}/jsz`);
      const { meta_cluster } = (await response.json()) as {
        meta_cluster: { leader: string; cluster_size: number };
      };
      return `${meta_cluster.leader} of ${meta_cluster.cluster_size}`;
    }),
  );
  return [...new Set(groups)];
}
