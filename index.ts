import * as pulumi from "@pulumi/pulumi";
import { NatsCluster } from "./components/nats-cluster.ts";
import { ownershipOf } from "./components/ownership.ts";
import { inspectEngine } from "./components/preflight.ts";
import { planStack } from "./components/stack-settings.ts";
import { Stream, startStreamProvider } from "./components/stream.ts";

// The SDK takes a stack trace for each of its promises; looking all their frames up in source maps, which
// types that are stripped don't need, is a quarter of a preview.
Reflect.deleteProperty(Error, "prepareStackTrace");

const { plan, accounts } = planStack();
for (const notice of plan.notices) pulumi.log.info(notice);

const ownership = ownershipOf(plan.identity, pulumi.getOrganization());
const engine = await inspectEngine(plan, ownership);

const cluster = new NatsCluster(plan.cluster, { plan, accounts, ownership, engine });

// In a new cluster, streams are far off.
const isNew = engine.containers.size === 0;
if (plan.streams.length > 0) startStreamProvider(isNew ? cluster.containerIds : undefined);

const connection = pulumi.secret(
  accounts.apply(({ application }) => ({
    urls: Object.values(cluster.clientUrls),
    ...application,
  })),
);

const placed = plan.streams.map(({ name, config, policy }) => {
  const stream = new Stream(
    name,
    { account: plan.account, connection, config, policy, fleet: plan.fleet },
    // A destroyed cluster takes its streams along, whether or not it still answers.
    { parent: cluster, dependsOn: [cluster.ready], deletedWith: cluster },
  );
  const { leader, replicas } = stream;
  return [name, { tags: config.placement?.tags ?? [], leader, replicas }] as const;
});

export const clientUrls = cluster.clientUrls;
export const monitoringUrls = cluster.monitoringUrls;
export const streams = Object.fromEntries(placed);
