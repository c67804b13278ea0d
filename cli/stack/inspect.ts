import { PlanError } from "../../lib/errors.ts";
import type { StackOutputs } from "../../lib/outputs.ts";
import { describeChanges } from "./changes.ts";
import { observe } from "./observe.ts";
import { type ClusterReport, reportOn } from "./report.ts";
import { type PlannedStack, readOutputs, readPlan, type Stack, stackOption } from "./stack.ts";

/** A running stack, looked at. */
export interface Inspection {
  readonly report: ClusterReport;
  readonly outputs: StackOutputs;
  /** Absent where the settings are in error. */
  readonly planned?: PlannedStack;
  /** What the settings ask for and the cluster isn't yet, a sentence each. */
  readonly changes: readonly string[];
}

/** Looks at what runs of a stack; undefined where there is no cluster. */
export async function inspect(stack: Stack): Promise<Inspection | undefined> {
  const [outputs, settings] = await Promise.all([readOutputs(stack), planOrProblem(stack)]);
  if (!outputs) return undefined;
  const { planned, problem } = settings;
  const report = reportOn({
    stack: stack.name,
    stackOption: stackOption(stack),
    outputs,
    observations: await observe(outputs.monitoringUrls),
    ...(planned ? { plan: planned.plan } : {}),
  });
  return {
    report,
    outputs,
    ...(planned ? { planned } : {}),
    changes: planned ? describeChanges(planned.plan, outputs) : [problem],
  };
}

/** Settings that are being edited must not keep anybody from seeing what runs. */
async function planOrProblem(
  stack: Stack,
): Promise<{ planned: PlannedStack; problem?: never } | { planned?: never; problem: string }> {
  try {
    return { planned: await readPlan(stack) };
  } catch (error) {
    if (error instanceof PlanError) return { problem: error.message };
    throw error;
  }
}
