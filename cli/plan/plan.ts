import path from "node:path";
import { PlanError } from "../../lib/base/errors.ts";
import { draftCluster } from "../../lib/plan/plan.ts";
import { parseSettings, type Settings } from "../../lib/plan/settings.ts";
import { standardStack } from "../pulumi/project.mjs";
import { expectWillRun } from "../stack/pulumi-cli.ts";
import {
  type FiledSettings,
  readSettingsFile,
  readStackSettings,
  stackOfFile,
  stacksWithSettings,
} from "../stack/settings-file.ts";
import { projectName, settingsFile, stackName } from "../stack/stack.ts";
import type { Given } from "../terminal/options.ts";
import { terminal } from "../terminal/terminal.ts";
import { UserError } from "../terminal/user-error.ts";
import { reportOnPlan } from "./plan-report.ts";
import { renderPlan } from "./plan-view.ts";

export async function run(
  file: string | undefined,
  options: Given<"stack" | "json">,
): Promise<number> {
  const { source, stack, filed } = read(file, options.stack);
  const report = reportOnPlan(draftCluster(check(filed, source, stack)), {
    source,
    unread: filed.unread,
  });
  console.log(options.json ? JSON.stringify(report, null, 2) : renderPlan(report, terminal()));
  return report.ok ? 0 : 1;
}

function read(file: string | undefined, named: string | undefined) {
  if (file === undefined) {
    const stack = stackName(named ?? standardStack(process.env));
    // One that is remembered from a former clone: the refusal says how to forget it.
    if (named === undefined && !stacksWithSettings().includes(stack)) expectWillRun(["config"]);
    return { source: settingsFile(stack), stack, filed: readStackSettings(stack) };
  }
  const stack = stackName(named ?? stackOfFile(file) ?? standardStack(process.env));
  return {
    source: file,
    stack,
    filed: readSettingsFile(path.resolve(callersFolder(), file), file),
  };
}

/** npm runs a script in the project's folder, whatever folder it was called from. */
function callersFolder(): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return (script === "plan" && folder) || process.cwd();
}

function check({ raw }: FiledSettings, source: string, stack: string): Settings {
  try {
    return parseSettings(raw, { project: projectName(), stack });
  } catch (cause) {
    if (cause instanceof PlanError) throw new UserError(`${source}: ${cause.message}`, { cause });
    throw cause;
  }
}
