import { foresee } from "./components/foresee.ts";
import { NatsCluster } from "./components/nats-cluster.ts";
import { planStack } from "./components/stack-settings.ts";
import { createStreams } from "./components/streams.ts";
import { engineFromEnvironment } from "./live/engine/engine.ts";

// The SDK takes a stack trace for each of its promises; looking all their frames up in source maps, which
// types that are stripped don't need, is a quarter of a preview.
Reflect.deleteProperty(Error, "prepareStackTrace");

const engine = engineFromEnvironment();
const stack = await planStack(engine);
const foresight = await foresee(engine, stack);

const cluster = new NatsCluster(stack.plan.cluster, { ...stack, ...foresight, engine });

export const streams = createStreams(stack, foresight, cluster);
export const { clientUrls, monitoringUrls } = cluster;
// The CLI warns of outputs that are undefined.
export const caCertificate = cluster.caCertificate ?? null;
