import { PlanError } from "../../lib/base/errors.ts";
import type { StackOutputs } from "../../lib/plan/outputs.ts";
import type { Engine } from "../../live/engine/engine.ts";
import { askMemoryKills } from "../../live/engine/memory-kills.ts";
import { describeStreamChanges } from "../stack/changes.ts";
import { readOutputs, type Stack, stackOption } from "../stack/stack.ts";
import { type PlannedStack, readPlan } from "../stack/stack-plan.ts";
import { readOwners } from "../stack/stack-state.ts";
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
export async function inspect(engine: Engine, stack: Stack): Promise<Inspection | undefined> {
  const [outputs, planned] = await Promise.all([readOutputs(stack), planOrProblem(stack)]);
  if (!outputs) return undefined;
  const [observations, memoryKills] = await Promise.all([
    askStack(outputs),
    findMemoryKills(engine, stack),
  ]);
  const report = reportOn({
    stack: stack.name,
    stackOption: stackOption(stack),
    outputs,
    observations,
    memoryKills,
    now: Date.now(),
    ...("plan" in planned ? { plan: planned.plan } : {}),
  });
  const settings =
    "plan" in planned
      ? { planned, changes: describeStreamChanges(planned.plan, outputs) }
      : planned;
  return { report, outputs, settings };
}

/** Errors are ignored, because the engine may not be the cluster's. */
async function findMemoryKills(engine: Engine, { name }: Stack): Promise<string | undefined> {
  const [owner] = await readOwners(name).catch(() => []);
  return owner === undefined ? undefined : await askMemoryKills(engine, owner);
}

async function planOrProblem(stack: Stack): Promise<PlannedStack | { readonly problem: string }> {
  try {
    return await readPlan(stack);
  } catch (error) {
    if (error instanceof PlanError) return { problem: error.message };
    throw error;
  }
}
