import * as pulumi from "@pulumi/pulumi";
import { NatsCluster, settingsFromConfig } from "./components/index.ts";

// The SDK takes a stack trace for each of its promises; looking all their frames up in source maps, which
// types that are stripped don't need, is a quarter of a preview.
Reflect.deleteProperty(Error, "prepareStackTrace");

const settings = await settingsFromConfig(new pulumi.Config());
// Pulumi tells no program that its preview saves a plan, or that its `up` goes by one: `npx pulumi` does.
const goesByPlan = process.env.NATS_REGIONS_HAS_PLAN !== undefined;
const cluster = new NatsCluster(settings.cluster || "c1", { ...settings, goesByPlan });

export const { clientUrls, monitoringUrls, placements: streams } = cluster;
// The CLI warns of outputs that are undefined.
export const caCertificate = cluster.caCertificate.apply((pem) => pem ?? null);
