import { closeConnections } from "../../live/jetstream/clients.ts";
import type { Servers } from "../../live/jetstream/connection.ts";
import { findAnswering, listContainers } from "../stack/containers.ts";
import { findStack, type Stack } from "../stack/stack.ts";
import { confirm } from "../terminal/confirm.ts";
import type { Given } from "../terminal/options.ts";
import { createLog } from "../terminal/steps.mjs";
import { terminal } from "../terminal/terminal.ts";
import { UserError } from "../terminal/user-error.ts";
import { accessTo } from "./client-access.ts";
import { planDrill, refuseDataLoss } from "./drill-plan.ts";
import { renderDrill, renderDrillPlan } from "./drill-view.ts";
import { bringBack } from "./fault.ts";
import { rehearse } from "./rehearse.ts";
import {
  chooseLoss,
  type DrillNode,
  findScene,
  lookAtWell,
  type Target,
  type WellLook,
} from "./scene.ts";
import type { How } from "./terms.ts";

/** `for` is in milliseconds. */
type DrillOptions = Given<"stack" | "yes" | "allowDataLoss" | "json"> & { how: How; for: number };

export async function run(words: readonly string[], options: DrillOptions): Promise<number> {
  return await drill(words, options).finally(closeConnections);
}

async function drill(words: readonly string[], options: DrillOptions): Promise<number> {
  if (words.join() === "restore") return await restore(await findStack(options.stack));
  const target = parseTarget(words);
  const terms = { how: options.how, duration: options.for };
  const log = createLog();
  const stack = await findStack(options.stack);
  const scene = await findScene(stack);
  const seen = await lookAtWell(scene);
  const loss = chooseLoss(target, scene.plan, seen);
  const staying = scene.nodes.filter(({ name }) => !loss.nodes.includes(name));
  if (staying.length === 0) throw new UserError("No node would be left to watch from.");
  const planOf = (look: WellLook) => {
    const plan = planDrill(scene.plan, look, { ...terms, stack: stack.name, loss });
    if (!options.allowDataLoss) refuseDataLoss(plan, look);
    return plan;
  };
  console.error(renderDrillPlan(planOf(seen), terminal()));
  if (!options.yes && !(await confirm())) {
    console.error("Nothing was touched.");
    return 1;
  }
  const access = await accessTo(stack, scene.settings.account, serversOf(staying));
  // Replicas may have moved while the user was asked.
  const plan = planOf(await lookAtWell(scene));
  const report = await rehearse({ plan, nodes: scene.nodes, access, log });
  console.log(
    options.json ? JSON.stringify(report, null, 2) : `\n${renderDrill(report, terminal())}`,
  );
  return report.ok ? 0 : 1;
}

function serversOf(nodes: readonly DrillNode[]): Servers {
  const urls = nodes.map(({ clientUrl }) => clientUrl);
  const names = nodes.map(({ name }) => name);
  const { ca, pair } = nodes[0] ?? {};
  const shown = pair === undefined ? {} : { pair };
  return { urls, ...(ca === undefined ? {} : { tls: { ca, names, ...shown } }) };
}

const SCOPES: readonly string[] = ["node", "zone", "region", "leader"];

function parseTarget([scope = "", name, ...more]: readonly string[]): Target {
  if (SCOPES.includes(scope) && name !== undefined && more.length === 0) {
    return { scope: scope as Target["scope"], name };
  }
  throw new UserError(
    "Say what is to fail: node NAME, zone NAME, region NAME or leader STREAM; `npm run drill -- --help` says more.",
  );
}

async function restore(stack: Stack): Promise<number> {
  const { silent, ...whereabouts } = await findAnswering(stack);
  const own = await listContainers(whereabouts);
  const down = own.filter(({ state }) => state === "down");
  for (const [key, reason] of silent) {
    console.error(
      `The Docker engine of ${key} doesn't answer, so that its nodes stay as they are: ${reason}`,
    );
  }
  if (down.length === 0) {
    console.log(`No node of stack ${stack.name} is stopped or paused.`);
    return 0;
  }
  const problems = await bringBack(down);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  console.log(`Brought back: ${down.map(({ name }) => name).join(", ")}.`);
  return 0;
}
