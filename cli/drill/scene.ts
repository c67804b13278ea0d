import { listSome } from "../../lib/base/wording.ts";
import { whyNotReady } from "../../lib/observed/readiness.ts";
import { type Loss, lossesOf } from "../../lib/placement/survivability.ts";
import { monitorsOf } from "../../lib/plan/outputs.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import type { Answers } from "../../live/engine/answering-engines.ts";
import type { Engine } from "../../live/engine/engine.ts";
import type { OwnNode } from "../../live/engine/own-nodes.ts";
import { loginOf, type Monitor } from "../../live/monitoring/monitor.ts";
import { askNodes } from "../../live/monitoring/monitoring.ts";
import { askWhyNotCurrent } from "../../live/monitoring/observe-cluster.ts";
import { until } from "../../live/until.ts";
import { findLocks } from "../pulumi/killed.mjs";
import { pulumiEnvironment } from "../pulumi/project.mjs";
import { findAnswering, listContainers, type Whereabouts } from "../stack/containers.ts";
import {
  projectName,
  readOutputs,
  type Stack,
  scriptOption,
  stackName,
  stackOption,
} from "../stack/stack.ts";
import { type PlannedStack, readPlan } from "../stack/stack-plan.ts";
import { UserError } from "../terminal/user-error.ts";
import { findLoss, type LossScope } from "./forecast.ts";
import { type LedGroup, type Look, look } from "./pages.ts";

/** The loss that the user asked for. `leader`: the node that leads a stream. */
export interface Target {
  readonly scope: LossScope | "leader";
  readonly name: string;
}

/** A running cluster for a drill. */
export interface Scene extends PlannedStack {
  readonly stack: Stack;
  readonly nodes: readonly DrillNode[];
}

export interface DrillNode extends Monitor {
  readonly clientUrl: string;
  readonly engine: Engine;
  readonly container: string;
}

/**
 * Finds a stack's nodes and their containers.
 *
 * @throws UserError if they differ from those in the settings, or if another command is changing them.
 */
export async function findScene(stack: Stack): Promise<Scene> {
  if (!stack.exists) throw new UserError(`There is no stack ${stack.name}.`);
  refuseWhileLocked(stack);
  const [outputs, planned, containers] = await Promise.all([
    readOutputs(stack),
    readPlan(stack),
    findAnswering(stack).then(listReached),
  ]);
  const start = `\`npm start${scriptOption(stack)}\``;
  if (!outputs) throw new UserError(`Stack ${stack.name} has no cluster. ${start} brings one up.`);
  const wanted = nodesOf(planned.plan).map(({ name }) => name);
  const running = Object.keys(outputs.clientUrls);
  const odd = [...wanted, ...running].filter(
    (name) => !wanted.includes(name) || !running.includes(name),
  );
  if (odd.length > 0) {
    throw new UserError(
      `The settings and the cluster differ in ${listSome(odd)}: ${start} first, or put the settings back.`,
    );
  }
  const nodes = monitorsOf(outputs).flatMap((monitor) => {
    const own = containers.find(({ name }) => name === monitor.name);
    if (!own) return [];
    const { engine, container } = own;
    const told = outputs.clientUrls[monitor.name] ?? "";
    const clientUrl = own.address === undefined ? told : told.replace(/(?<=:\/\/).*/, own.address);
    return [{ ...monitor, ...loginOf(own), clientUrl, engine, container }];
  });
  const lacking = running.filter((name) => nodes.every((node) => node.name !== name));
  if (lacking.length > 0) {
    throw new UserError(
      `The Docker engine has no container of ${listSome(lacking)}: \`npx pulumi up --refresh${stackOption(stack)}\` creates it again.`,
    );
  }
  return { ...planned, stack, nodes };
}

/** @throws UserError if an engine doesn't answer: its nodes could neither be taken down nor brought back. */
async function listReached({
  silent,
  ...whereabouts
}: Whereabouts & Pick<Answers, "silent">): Promise<OwnNode[]> {
  const [found] = silent;
  if (found === undefined) return await listContainers(whereabouts);
  const [key, reason] = found;
  throw new UserError(
    `Nothing was touched, as the Docker engine of ${key} doesn't answer: ${reason}. A drill needs all of them.`,
  );
}

/** Effects of a concurrent `up` would be attributed to the fault. */
function refuseWhileLocked({ name }: Stack): void {
  const { PULUMI_BACKEND_URL: backend } = pulumiEnvironment([], process.env).env;
  const [lock] = findLocks(backend, `${projectName()}/${stackName(name)}`);
  if (!lock) return;
  throw new UserError(
    `Another pulumi command is at work on stack ${name} (process ${lock.pid} on ${lock.hostname}): wait until it has ended.`,
  );
}

/** A look at a cluster with a meta leader. */
export interface WellLook extends Look {
  readonly metaGroup: LedGroup;
}

/** Milliseconds to wait for replicas that are a few operations behind, as is normal for a stream in use. */
const PATIENCE_MS = 10_000;
const POLL_MS = 250;

/**
 * Looks at a cluster that has to be healthy: a drill doesn't start with a failure.
 *
 * @throws UserError saying what it lacks.
 */
export async function lookAtWell({ nodes, stack }: Scene): Promise<WellLook> {
  await until<void, string>(
    async () => {
      const lack = await askWhyNotWell(nodes);
      return lack === undefined ? { done: undefined } : { shown: lack };
    },
    {
      pause: POLL_MS,
      limit: PATIENCE_MS,
      giveUp: (lack) => {
        throw new UserError(
          `Nothing was touched, as the cluster isn't well already: ${lack}. \`npm run drill -- restore${stackOption(stack)}\` starts nodes that were stopped or paused.`,
        );
      },
    },
  );
  const { metaGroup, streams } = await look(nodes);
  if (!metaGroup) throw new UserError("Nothing was touched, as the meta group has no leader.");
  const moving = [...streams.values()].filter(({ isChanging }) => isChanging);
  if (moving.length > 0) {
    const names = listSome(moving.map(streamNamer(streams.values())));
    throw new UserError(
      `Nothing was touched, as a change is under way: ${names}. Wait until it is done.`,
    );
  }
  return { metaGroup, streams };
}

/** The check of the gate between two waves of a rollout, made once. */
export async function askWhyNotWell(nodes: readonly DrillNode[]): Promise<string | undefined> {
  return whyNotReady(await askNodes(nodes)) ?? (await askWhyNotCurrent(nodes, true));
}

/** @throws UserError naming the possible values. */
export function chooseLoss(
  { scope, name }: Target,
  plan: Pick<ClusterPlan, "regions" | "accounts">,
  { streams }: Pick<Look, "streams">,
): Loss {
  const losses = lossesOf(nodesOf(plan));
  if (scope !== "leader") {
    const loss = findLoss(scope, name, losses);
    if (loss) return loss;
    const kinds = scope === "zone" ? ["zoneEverywhere", "zone"] : [scope];
    const known = losses.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
    throw new UserError(`There is no ${scope} ${name}. There are ${listSome(known)}.`);
  }
  const nameOf = streamNamer(streams.values());
  const found = [...streams.values()].filter(
    (stream) => stream.name === name || nameOf(stream) === name,
  );
  const stream = found.find(({ account }) => account === plan.accounts[0]?.name) ?? found[0];
  const loss = stream && findLoss("node", stream.leader, losses);
  if (loss) return loss;
  const known = [...streams.values()].map(nameOf);
  throw new UserError(`There is no stream ${name}. There are ${listSome(known) || "none"}.`);
}
