import * as pulumi from "@pulumi/pulumi";
import { announceChanges } from "./components/announce-changes.ts";
import { announceDepartures, createRetirement } from "./components/departures.ts";
import { connectionTo, JetStreamProvider } from "./components/jetstream-provider.ts";
import { NatsCluster } from "./components/nats-cluster.ts";
import { ownershipOf } from "./components/ownership.ts";
import { inspectEngine } from "./components/preflight.ts";
import { planStack } from "./components/stack-settings.ts";
import { Stream } from "./components/stream.ts";
import { StreamRoster } from "./components/stream-roster.ts";
import { readTlsFiles } from "./components/tls-files.ts";
import { rosterEntry } from "./lib/stream-policy.ts";

// The SDK takes a stack trace for each of its promises; looking all their frames up in source maps, which
// types that are stripped don't need, is a quarter of a preview.
Reflect.deleteProperty(Error, "prepareStackTrace");

const { plan, accounts } = planStack();
for (const notice of plan.notices) pulumi.log.info(notice);

const ownership = ownershipOf(plan.identity, pulumi.getOrganization());
const engine = await inspectEngine(plan, ownership);
const tlsTexts = readTlsFiles(plan, engine.tls);
await Promise.all([announceChanges(plan, accounts, engine), announceDepartures(plan, engine)]);

const isNew = engine.containers.size === 0;

const cluster = new NatsCluster(plan.cluster, {
  plan,
  accounts,
  ownership,
  engine,
  ...(tlsTexts ? { tlsTexts } : {}),
});

// A preview goes by what the nodes have: an authority that is yet to be made isn't known, and nothing would
// be told of streams by a provider that waits for it.
const trusted = pulumi.runtime.isDryRun() ? engine.tls?.ca : cluster.caCertificate;

// The engine does nothing else while it starts the process that serves streams: in a new cluster, nodes come
// first.
const jetStream = new JetStreamProvider(
  `${plan.cluster}-jetstream`,
  {
    connection: connectionTo(
      plan,
      accounts.apply(({ application }) => application),
      trusted,
    ),
  },
  { parent: cluster, dependsOn: isNew ? [...cluster.nodes] : [] },
);

const roster = new StreamRoster(
  `${plan.cluster}-streams`,
  {
    account: plan.account,
    streams: Object.fromEntries(
      plan.streams.map(({ name, policy }) => [name, rosterEntry(policy)]),
    ),
  },
  // It looks at what is there before anything changes.
  { parent: cluster, provider: jetStream, deletedWith: cluster },
);

const placed = plan.streams.map(({ name, config, policy }) => {
  const stream = new Stream(
    name,
    { account: plan.account, config, policy, fleet: plan.fleet },
    {
      parent: cluster,
      provider: jetStream,
      dependsOn: [cluster.ready, roster],
      // A destroyed cluster takes its streams along, whether or not it still answers.
      deletedWith: cluster,
    },
  );
  return { stream, name, tags: config.placement?.tags ?? [] };
});

createRetirement(
  `${plan.cluster}-retire`,
  {
    plan,
    accounts,
    ownership,
    engine,
    caCertificate: cluster.caCertificate,
    after: [cluster.ready, ...placed.map(({ stream }) => stream)],
  },
  cluster,
);

export const clientUrls = cluster.clientUrls;
export const monitoringUrls = cluster.monitoringUrls;
export const caCertificate = cluster.caCertificate;
export const streams = Object.fromEntries(
  placed.map(({ name, tags, stream: { leader, replicas } }) => [name, { tags, leader, replicas }]),
);
