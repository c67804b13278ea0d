import { PlanError } from "../../lib/base/errors.ts";
import { monitorsOf, type StackOutputs } from "../../lib/plan/outputs.ts";
import { nothing } from "../../live/engine/engine.ts";
import { askMemoryKills } from "../../live/engine/memory-kills.ts";
import type { OwnNode } from "../../live/engine/own-nodes.ts";
import { loginOf, type Monitor } from "../../live/monitoring/monitor.ts";
import { describeStreamChanges } from "../stack/changes.ts";
import { findAnswering, listContainers, type Whereabouts } from "../stack/containers.ts";
import { readOutputs, type Stack, stackOption } from "../stack/stack.ts";
import { type PlannedStack, readPlan } from "../stack/stack-plan.ts";
import { UserError } from "../terminal/user-error.ts";
import { type ClusterReport, reportOn } from "./cluster-report.ts";
import { askStack } from "./observe.ts";

/** A running stack as it was observed. */
export interface Inspection {
  readonly report: ClusterReport;
  readonly outputs: StackOutputs;
  readonly settings: SettingsInspection;
}

/** The settings; wrong ones don't prevent the inspection of what runs. */
export type SettingsInspection =
  | {
      readonly planned: PlannedStack;
      /** What the settings would change, one sentence each. */
      readonly changes: readonly string[];
    }
  | { readonly problem: string };

/** Inspects a running stack; undefined if it has no cluster. */
export async function inspect(stack: Stack): Promise<Inspection | undefined> {
  // Errors are ignored, because the state may not be there to be read.
  const whereabouts = findAnswering(stack).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    return NOWHERE;
  });
  const [outputs, planned, { silent }, containers] = await Promise.all([
    readOutputs(stack),
    planOrProblem(stack),
    whereabouts,
    whereabouts.then(listContainers).catch(nothing),
  ]);
  if (!outputs) return undefined;
  const [observations, memoryKills] = await Promise.all([
    askStack(nodesOf(outputs, containers)),
    whereabouts.then(findMemoryKills),
  ]);
  const report = reportOn({
    stack: stack.name,
    stackOption: stackOption(stack),
    outputs,
    observations,
    memoryKills,
    silentEngines: silent,
    now: Date.now(),
    ...("plan" in planned ? { plan: planned.plan } : {}),
  });
  const settings =
    "plan" in planned
      ? { planned, changes: describeStreamChanges(planned.plan, outputs) }
      : planned;
  return { report, outputs, settings };
}

/**
 * The nodes of the outputs, at the addresses that the engines have, whatever clients are told, and with their login. All
 * nodes have the same one, also those whose engine doesn't answer.
 */
function nodesOf(outputs: StackOutputs, containers: readonly OwnNode[]): Monitor[] {
  const [any] = containers;
  const addresses = new Map(containers.map(({ name, address }) => [name, address]));
  return monitorsOf(outputs).map((node) => ({
    ...node,
    address: addresses.get(node.name) ?? node.address,
    ...(any && loginOf(any)),
  }));
}

const NOWHERE = { engines: [], owners: [], silent: new Map<string, string>() };

async function findMemoryKills({
  engines,
  owners: [owner],
}: Whereabouts): Promise<string | undefined> {
  return owner === undefined ? undefined : await askMemoryKills(engines, owner);
}

async function planOrProblem(stack: Stack): Promise<PlannedStack | { readonly problem: string }> {
  try {
    return await readPlan(stack);
  } catch (error) {
    if (error instanceof PlanError) return { problem: error.message };
    throw error;
  }
}
