import * as pulumi from "@pulumi/pulumi";
import { NatsCluster, settingsFromConfig } from "./components/index.ts";

// The SDK takes a stack trace for each of its promises. Resolving their frames with source maps takes a quarter of a
// preview, and stripped types don't need source maps.
Reflect.deleteProperty(Error, "prepareStackTrace");

const settings = await settingsFromConfig(new pulumi.Config());
// Pulumi doesn't tell a program that a preview saves its plan, or that an `up` uses one: `npx pulumi` does.
const goesByPlan = process.env.NATS_REGIONS_HAS_PLAN !== undefined;
const cluster = new NatsCluster(settings.cluster || "c1", { ...settings, goesByPlan });

export const { clientUrls, monitoringUrls, placements: streams } = cluster;
export const { websocketUrls, mqttUrls, publishedLeafNodeUrls } = cluster;
// The CLI warns about undefined outputs.
export const caCertificate = cluster.caCertificate.apply((pem) => pem ?? null);
