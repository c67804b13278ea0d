import type { Settings } from "../../lib/plan/settings.ts";
import { setUp } from "../../tools/setup/set-up.ts";
import { type Inspection, inspect } from "../inspection/inspect.ts";
import { renderReport } from "../inspection/report-view.ts";
import { showPulumi } from "../stack/pulumi-cli.ts";
import { type Stack, settingsFile, stackOption } from "../stack/stack.ts";
import type { Given } from "../terminal/options.ts";
import { createLog, duration } from "../terminal/steps.mjs";
import { terminal } from "../terminal/terminal.ts";
import { UserError } from "../terminal/user-error.ts";
import { renderNextSteps } from "./next-steps.ts";
import { prepareStack } from "./prepare.ts";

export async function run(options: Given<"stack">): Promise<number> {
  const log = createLog();
  await setUp({ log });
  const stack = await prepareStack(options.stack, log);
  const status = await showPulumi(upCommand(stack));
  if (status !== 0) {
    console.error("\nThe stack is not up. The same command goes on where this one stopped.");
    return status;
  }
  const inspection = await inspect(stack);
  if (!inspection) throw new UserError(`Stack ${stack.name} has come up without a cluster.`);
  console.log(`\n${summarize(stack, inspection)}`);
  return inspection.report.ok ? 0 : 1;
}

/** A preview of a new stack tells nothing: wrong settings are refused without one. */
function upCommand({ name, resourceCount }: Stack): string[] {
  const preview = resourceCount === 0 ? ["--skip-preview"] : [];
  return ["up", "--yes", ...preview, "--suppress-outputs", "--stack", name];
}

/** Whether the certificate for clients is of an authority that every system knows. */
function isKnownToAll({ clientTls }: Settings): boolean {
  return clientTls !== undefined && clientTls.ca === undefined;
}

function summarize(stack: Stack, { report, outputs, settings }: Inspection): string {
  const canvas = terminal();
  const parts = [renderReport(report, canvas)];
  const [clientUrl] = Object.values(outputs.clientUrls);
  if ("planned" in settings && clientUrl) {
    const { hasPassword, user } = settings.planned.settings;
    const steps = {
      stackOption: stackOption(stack),
      settingsFile: settingsFile(stack.name),
      ...(hasPassword ? { user } : {}),
      clientUrl,
      needsCa: outputs.caCertificate !== undefined && !isKnownToAll(settings.planned.settings),
    };
    parts.push(renderNextSteps(steps, canvas));
  }
  parts.push(canvas.colors.dim(`Up in ${duration(performance.now())}.`));
  return parts.join("\n\n");
}
