import * as pulumi from "@pulumi/pulumi";
import { NatsCluster, settingsFromConfig } from "./components/index.ts";

const { cluster: name = "c1", ...settings } = await settingsFromConfig(new pulumi.Config());
const cluster = new NatsCluster(name, { ...settings, goesByPlan: goesByPlan() });

export const { clientUrls, monitoringUrls, placements: streams } = cluster;
// The CLI warns of outputs that are undefined.
export const caCertificate = cluster.caCertificate.apply((pem) => pem ?? null);

/** As `npx pulumi` tells: Pulumi itself doesn't. */
function goesByPlan(): boolean {
  return process.env.NATS_REGIONS_HAS_PLAN !== undefined;
}
