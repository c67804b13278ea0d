import * as pulumi from "@pulumi/pulumi";
import type { ClusterNodesArgs } from "../../components/cluster-nodes.ts";
import type { ConsumerStage } from "../../components/consumer-host.ts";
import { loggerOf } from "../../components/logger.ts";
import { ownershipOf } from "../../components/ownership.ts";
import { JetStreamProvider } from "../../components/parts/jetstream-provider.ts";
import { Lifespan } from "../../components/parts/lifespan.ts";
import type {
  FollowedStream,
  StreamHost,
  StreamKind,
  StreamStage,
} from "../../components/stream-host.ts";
import { type BucketKind, streamNameOf } from "../../lib/buckets/bucket-kinds.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import type { EnginePlan } from "../../lib/topology/engines.ts";
import { unaskedEngines } from "../../live/engine/engines-of.ts";
import { simpleAccounts } from "./accounts.ts";
import { noRestarts } from "./restarts.ts";

/**
 * A cluster that doesn't inspect an engine, for tests of streams: it admits them with the stages that tests give it.
 */
export class BareCluster extends pulumi.ComponentResource implements StreamHost {
  readonly jetStream: JetStreamProvider;
  readonly lifespan: Lifespan;
  readonly followed: FollowedStream[] = [];
  readonly #stages: Readonly<Record<string, Promise<StreamStage>>>;

  constructor(
    name: string,
    managerKey: string,
    stages: Readonly<Record<string, Promise<StreamStage>>> = {},
  ) {
    super("nats-regions:index:NatsCluster", name, { cluster: name });
    this.lifespan = new Lifespan(`${name}-lifespan`, this);
    this.jetStream = new JetStreamProvider(
      `${name}-jetstream`,
      { connection: { urls: ["nats://127.0.0.1:4222"], managerKey } },
      { parent: this },
    );
    this.#stages = stages;
    this.registerOutputs({});
  }

  admit(name: string): Promise<StreamStage> {
    return this.#stages[name] ?? Promise.reject(new Error(`There is no stage for ${name}.`));
  }

  admitBucket(kind: BucketKind, name: string): Promise<StreamStage> {
    return this.admit(streamNameOf(kind, name));
  }

  follow(_kind: StreamKind, _name: string, stream: FollowedStream): void {
    this.followed.push(stream);
  }

  async admitConsumer(stream: string, consumer: string): Promise<ConsumerStage> {
    const { plan } = await this.admit(stream);
    const found = plan.consumers.find(({ name }) => name === consumer);
    if (!found) throw new Error(`There is no consumer ${consumer} of ${stream}.`);
    return { account: plan.account, stream: plan.name, plan: found };
  }

  followConsumer(): void {}

  followPart(): void {}
}

function enginesOf(plan: ClusterPlan): EnginePlan[] {
  return [...new Set(nodesOf(plan).flatMap(({ engine }) => engine ?? []))];
}

/** A secret: the seed of the nkey by which the stack looks at its cluster. */
export const MONITOR_SEED = "SUAMONITORSEEDOFTHISSTACK";

/** The args of a new cluster's nodes, with nothing on the engine. */
export function newNodesArgs(
  plan: ClusterPlan,
  hashes: Parameters<typeof simpleAccounts>[0],
): ClusterNodesArgs {
  return {
    plan,
    accounts: pulumi.secret(simpleAccounts(hashes)),
    access: pulumi.secret({
      system: { user: plan.systemUser, password: "sys" },
      remover: "",
      managerKey: "bWFuYWdlcnMta2V5",
    }),
    monitorSeed: pulumi.secret(MONITOR_SEED),
    login: {},
    clientTexts: {},
    ownership: ownershipOf({ ...plan.identity, owner: "0123456789abcdef" }),
    ...unaskedEngines(enginesOf(plan)),
    before: {
      containers: new Map(),
      leaving: new Map(),
      containerless: new Set(),
      silent: new Set(),
      hasNetwork: false,
    },
    driftTimes: new Map(),
    labels: new Map(),
    mayHaveStopped: new Set(),
    hasGrowth: false,
    restarts: noRestarts(plan),
    log: loggerOf(),
  };
}
