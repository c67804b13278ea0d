import * as pulumi from "@pulumi/pulumi";
import { configDigest, type NodeSecrets } from "../../lib/nodes/nats-conf.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import { PREVIEW_WORDS } from "../../lib/settings/settings-table.ts";
import { cutOffWarnings } from "../../lib/update/client-tls-changes.ts";
import { describeMemoryLosses } from "../../lib/update/memory-loss.ts";
import { changeOf, describeChanges, type NodeChange } from "../../lib/update/node-changes.ts";
import { describeStays } from "../../lib/update/witnesses.ts";
import { knownValue } from "../known-value.ts";
import { type Logger, loggerOf } from "../logger.ts";
import { askServer } from "./ask-server.ts";
import type { EngineState } from "./inspect-engine.ts";
import type { Observer } from "./observer.ts";
import { type PlannedRestarts, planRestarts, type Restarts } from "./plan-restarts.ts";
import type { CertificateTexts } from "./read-client-files.ts";

/** Config load times of the nodes whose running config isn't the planned one, RFC 3339, by node name. */
export type DriftTimes = ReadonlyMap<string, string>;

/**
 * The labels that the nodes' containers get, by node: see {@link NodeChange.label}. Nodes without a container are left
 * out.
 */
export type SettledLabels = ReadonlyMap<string, string>;

export interface Announcement {
  readonly driftTimes: DriftTimes;
  readonly labels: SettledLabels;
  /** Names of nodes, see {@link NodeChange.mayHaveStopped}. */
  readonly mayHaveStopped: ReadonlySet<string>;
  /** Whether reloads raise the storage limits of nodes. */
  readonly hasGrowth: boolean;
  readonly restarts: Restarts;
}

/**
 * Logs for each node, before anything happens, whether it will be reloaded or restarted, and why. Nothing is logged
 * about nodes that don't change, nor about a node that lost its container: only the state knows what happens to that
 * one.
 *
 * @param texts the user's certificates, if the settings name any.
 * @throws pulumi.RunError if restarts would empty a stream with memory storage.
 */
export async function announceChanges(
  plan: ClusterPlan,
  accounts: pulumi.Output<NodeSecrets>,
  before: EngineState,
  texts: CertificateTexts,
  observe: Observer,
  log = loggerOf(),
): Promise<Announcement> {
  const known = await knownValue(accounts);
  const changes = await findChanges(plan, known, before, texts);
  const restarted = new Set(
    changes.filter(({ kind }) => kind === "restart").map(({ node }) => node),
  );
  const labels = new Map(changes.map(({ node, label }) => [node, label] as const));
  const restarts = await planRestarts(plan, restarted, before, observe);
  for (const line of describeChanges(changes, plan.waves, restarts.steps)) {
    log.info(line);
  }
  if (known === undefined && before.containers.size > 0) log.info(UNKNOWN_PASSWORDS);
  for (const line of await findStays(plan, changes, observe)) log.info(line);
  for (const line of restarts.notices) log.info(line);
  for (const line of restarts.warnings) log.warn(line);
  for (const line of cutOffWarnings(changes)) log.warn(line);
  refuseMemoryLosses(plan, restarts, log);
  refuseUnknownAddresses(plan, changes);
  const driftTimes = new Map(
    changes.flatMap(({ node, driftedAt }) => (driftedAt ? [[node, driftedAt] as const] : [])),
  );
  const mayHaveStopped = new Set(
    changes.flatMap(({ node, mayHaveStopped }) => (mayHaveStopped ? [node] : [])),
  );
  const hasGrowth = changes.some(({ grows }) => grows);
  return { driftTimes, labels, mayHaveStopped, hasGrowth, restarts };
}

/** Looks at streams only if a witness is reloaded, as it is when it becomes one. */
async function findStays(
  plan: ClusterPlan,
  changes: readonly NodeChange[],
  observe: Observer,
): Promise<readonly string[]> {
  const reloaded = new Set(changes.filter(({ kind }) => kind === "reload").map(({ node }) => node));
  const witnesses = nodesOf(plan).filter(({ name, witness }) => witness && reloaded.has(name));
  if (witnesses.length === 0) return [];
  const { streams } = await observe();
  return describeStays(
    witnesses.map(({ name }) => name),
    streams,
    plan,
  );
}

const UNKNOWN_PASSWORDS = `${PREVIEW_WORDS.reload}: of nodes whose users get other passwords, which this preview can't know yet`;

function refuseMemoryLosses(
  plan: ClusterPlan,
  { steps, restarted, observed }: PlannedRestarts,
  log: Logger,
) {
  const held = observed.streams.filter(({ config }) => config.storage === "memory");
  const { refused, allowed } = describeMemoryLosses(held, restarted, { ...plan, waves: steps });
  for (const line of allowed) log.warn(`gone by a restart: ${line}`);
  if (refused.length === 0) return;
  throw new pulumi.RunError(
    `Restarts would empty streams that are in memory only:\n${refused.map((line) => `  ${line}`).join("\n")}\nFirst give such a stream more replicas, on nodes that are not restarted at once, or delete what it holds; or say allowDataLoss: true in its settings, with adopt: true where it was in none.`,
  );
}

/**
 * Refuses to have nodes reached at addresses that their certificates don't have yet: nodes with the former certificate
 * and nodes with the new one would talk to each other no more, and the meta group would lose its leader half-way.
 *
 * @throws pulumi.RunError naming the way out.
 */
function refuseUnknownAddresses(plan: ClusterPlan, changes: readonly NodeChange[]): void {
  const unready = changes.filter(({ unknownAddress }) => unknownAddress !== undefined);
  if (unready.length === 0 || plan.rollout === "all") return;
  const nodes = unready.map(({ node }) => node).join(", ");
  const addresses = [...new Set(unready.map(({ unknownAddress }) => unknownAddress))];
  throw new pulumi.RunError(
    `engines: ${nodes} have certificates without ${addresses.join(", ")}, and routes to them by that address would be refused.\nFirst leave the address as it was, and put the new one into certificateNames: ${JSON.stringify(addresses)}. After that up, change the address.`,
  );
}

async function findChanges(
  plan: ClusterPlan,
  accounts: NodeSecrets | undefined,
  { containers, containerless, silent, ...access }: EngineState,
  texts: CertificateTexts,
): Promise<NodeChange[]> {
  const surroundings = { plan, access, texts };
  const told = nodesOf(plan).filter(({ name }) => !containerless.has(name) && !silent.has(name));
  return await Promise.all(
    told.map(async (node) => {
      const container = containers.get(node.containerName);
      const server = container && (await askServer(node, container, surroundings));
      const runs = container?.clientAddress !== undefined;
      const running = container && { ...container, runs, ...(server ? { server } : {}) };
      return changeOf(running, node, accounts && configDigest(node.conf, accounts));
    }),
  );
}
