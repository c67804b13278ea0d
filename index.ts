import * as pulumi from "@pulumi/pulumi";
import { announceChanges } from "./components/announce-changes.ts";
import { announceImage } from "./components/announce-image.ts";
import { announceDepartures, createRetirement } from "./components/departure-steps.ts";
import { JetStreamProvider, serversOf } from "./components/jetstream-provider.ts";
import { promiseOf } from "./components/known-value.ts";
import { NatsCluster } from "./components/nats-cluster.ts";
import { observerOf } from "./components/observer.ts";
import { inspectEngine } from "./components/preflight.ts";
import { readTlsFiles } from "./components/read-tls-files.ts";
import { refuseShortages } from "./components/refuse-shortages.ts";
import { streamPatience } from "./components/script-patience.ts";
import { planStack } from "./components/stack-settings.ts";
import { Stream } from "./components/stream.ts";
import { StreamRoster } from "./components/stream-roster.ts";
import { fingerprint } from "./lib/accounts/credentials.ts";
import { begunBy, mirrorsOf, rosterOf, subjectsOf } from "./lib/update/remembered-streams.ts";
import { engineFromEnvironment } from "./live/engine/engine.ts";

// The SDK takes a stack trace for each of its promises; looking all their frames up in source maps, which
// types that are stripped don't need, is a quarter of a preview.
Reflect.deleteProperty(Error, "prepareStackTrace");

const engine = engineFromEnvironment();
const { plan, ownership, accounts, access } = await planStack(engine);
for (const notice of plan.notices) pulumi.log.info(notice);

const before = await inspectEngine(engine, plan, ownership);
const tlsTexts = readTlsFiles(plan, before);
const observe = observerOf(plan, before);
const [{ strays, labels, hasGrowth, restarts }] = await Promise.all([
  announceChanges(plan, accounts, before, tlsTexts, observe),
  announceImage(plan, before, observe),
  announceDepartures(plan, before),
  refuseShortages(plan, before, observe),
]);

/** What all secrets of the cluster's resources stem from. */
const facts = [pulumi.runtime.allConfig(), tlsTexts, before.tls];
const hasPlan = process.env.NATS_REGIONS_HAS_PLAN !== undefined;

const cluster = new NatsCluster(plan.cluster, {
  plan,
  accounts,
  ownership,
  engine,
  before,
  strays,
  labels,
  hasGrowth,
  restarts,
  ...(tlsTexts ? { tlsTexts } : {}),
  ...(hasPlan
    ? { planMark: `settings-${fingerprint((await promiseOf(access)).managerKey, facts)}` }
    : {}),
});

// A preview goes by what the nodes have, and where they are: an authority that is yet to be made isn't known, nobody
// listens on ports that are yet to be, and nothing would be told of streams by a provider that waits for them. One that
// saves its plan for an `up`, or goes by one, has to have what that has.
const goesByNodes = pulumi.runtime.isDryRun() && !hasPlan;
const [trusted, running] = goesByNodes
  ? [before.tls?.ca, before.containers]
  : [cluster.caCertificate];

// Pulumi does nothing else while it starts the process that serves streams: in a new cluster, nodes come
// first.
const jetStream = new JetStreamProvider(
  `${plan.cluster}-jetstream`,
  {
    connection: pulumi
      .all([serversOf(plan, trusted, running), access])
      .apply(([servers, { managerKey }]) => ({ ...servers, managerKey, ...streamPatience(plan) })),
  },
  { parent: cluster, dependsOn: cluster.isNew ? [...cluster.nodes] : [] },
);

// Nothing is checked by a provider that waits for its authority. What checks take away of the inputs, or add to them, is
// unknown to a plan until then, as an `up` may do without what its plan doesn't know.
const checked = pulumi.output(trusted).apply(() => undefined);
const fleet = checked.apply(() => plan.fleet);

const roster = new StreamRoster(
  `${plan.cluster}-streams`,
  {
    ...rosterOf(plan),
    subjects: checked.apply(() => subjectsOf(plan.streams)),
    mirrors: checked.apply(() => mirrorsOf(plan.streams)),
    leaving: checked,
    begun: begunBy(plan.streams),
  },
  // It looks at what is there before anything changes.
  { parent: cluster, provider: jetStream, deletedWith: cluster },
);

const placed = plan.streams.map(({ name, account, config, policy }) => {
  const stream = new Stream(
    name,
    { account, config, policy, fleet, checked },
    {
      parent: cluster,
      provider: jetStream,
      dependsOn: [...cluster.ready, roster],
      // A destroyed cluster takes its streams along, whether or not it still answers.
      deletedWith: cluster.lifespan,
    },
  );
  return { stream, name, account, tags: config.placement?.tags ?? [] };
});

createRetirement(
  `${plan.cluster}-retire`,
  {
    plan,
    access,
    ownership,
    before,
    caCertificate: cluster.caCertificate,
    after: [...cluster.ready, ...placed.map(({ stream }) => stream)],
  },
  cluster,
);

// Another replica may lead by then. Of outputs that aren't what a plan has, Pulumi says no word: it ends with 1.
const isSaved = hasPlan && pulumi.runtime.isDryRun();

export const clientUrls = cluster.clientUrls;
export const monitoringUrls = cluster.monitoringUrls;
// The CLI warns of outputs that are undefined.
export const caCertificate = cluster.caCertificate ?? null;
export const streams = Object.fromEntries(
  placed.map(({ name, account, tags, stream: { leader, replicas } }) => [
    name,
    {
      account,
      tags,
      ...(isSaved ? { leader: pulumi.unknown, replicas: pulumi.unknown } : { leader, replicas }),
    },
  ]),
);
