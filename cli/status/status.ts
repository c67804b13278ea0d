import { type Inspection, inspect } from "../inspection/inspect.ts";
import { renderReport } from "../inspection/report-view.ts";
import { findStack, type Stack, scriptOption, stackOption } from "../stack/stack.ts";
import type { Given } from "../terminal/options.ts";
import { terminal } from "../terminal/terminal.ts";
import { UserError } from "../terminal/user-error.ts";

export async function run(options: Given<"stack" | "json">): Promise<number> {
  const stack = await findStack(options.stack);
  const inspection = await inspectRunning(stack);
  const { report, settings } = inspection;
  console.log(
    options.json ? JSON.stringify(toJson(inspection), null, 2) : render(inspection, stack),
  );
  if ("problem" in settings) console.error(`\n${settings.problem}`);
  return report.ok ? 0 : 1;
}

async function inspectRunning(stack: Stack): Promise<Inspection> {
  const option = scriptOption(stack);
  if (!stack.exists) {
    throw new UserError(`There is no stack ${stack.name} yet. \`npm start${option}\` makes it.`);
  }
  const inspection = await inspect(stack);
  if (inspection) return inspection;
  throw new UserError(`Stack ${stack.name} has no cluster. \`npm start${option}\` brings one up.`);
}

function toJson({ report, settings }: Inspection) {
  return { ...report, changes: "changes" in settings ? settings.changes : null };
}

function render({ report, settings }: Inspection, stack: Stack): string {
  const changes = "changes" in settings ? settings.changes : [];
  const heading = `The settings ask for changes; \`npx pulumi preview${stackOption(stack)}\` shows all of them:`;
  return [
    renderReport(report, terminal()),
    ...(changes.length > 0 ? [[heading, ...changes].join("\n  ")] : []),
  ].join("\n\n");
}
