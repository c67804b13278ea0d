import { formatDuration, parseDuration } from "../../lib/base/quantities.ts";
import { type Engine, engineFromEnvironment } from "../../live/engine/engine.ts";
import type { Servers } from "../../live/jetstream/connection.ts";
import { findStack, type Stack } from "../stack/stack.ts";
import { confirm } from "../terminal/confirm.ts";
import { parseOptionsAndWords } from "../terminal/options.ts";
import { createLog } from "../terminal/steps.mjs";
import { terminal } from "../terminal/terminal.ts";
import { UserError } from "../terminal/user-error.ts";
import { accessTo } from "./client-access.ts";
import { planDrill, refuseDataLoss } from "./drill-plan.ts";
import { renderDrill, renderDrillPlan } from "./drill-view.ts";
import { bringBack, HOWS, type How } from "./fault.ts";
import { rehearse } from "./rehearse.ts";
import {
  chooseLoss,
  type DrillNode,
  findScene,
  listContainers,
  lookAtWell,
  type Target,
  type WellLook,
} from "./scene.ts";

export const usage = `Usage: npm run drill -- <what> [options]

Rehearses a failure on the running cluster: takes nodes down, watches which streams can still be written to,
brings the nodes back, and compares that with what the planner expects of the hosts that the replicas have.
Nothing is written to any stream.

  node rg1-az2       one node
  zone rg1-az1       a zone of one region
  zone az1           the same zone in all regions
  region rg2         a region
  leader ORDERS      the node that leads that stream now; of another account than the first: "ORDERS (BILLING)"

  -s, --stack NAME   the stack to rehearse on (default: the selected one, else dev)
      --how HOW      kill: SIGKILL, the hard case (default); stop: a clean shutdown; pause: frozen
      --for TIME     how long the nodes are away (20s; 15s or more, as electing a leader takes up to 9 s)
  -y, --yes          don't ask
      --allow-data-loss
                     also where streams would lose messages that are in memory only
      --json         the result for programs, times in milliseconds: DrillReport of cli/drill/drill-report.ts

Ends with 1 if a stream or the meta group did otherwise than expected, or anything isn't well within 60 s.
It begins only where all is well, and brings the nodes back on Ctrl-C and on errors too. Should it be
killed itself, \`npm run drill -- restore\` brings them back; so does \`npx pulumi up --refresh\` those that
aren't paused.`;

const SHORTEST_MS = 15_000;

export async function run(args: readonly string[]): Promise<number> {
  const { options, words } = parseOptionsAndWords(args, {
    stack: { type: "string", short: "s" },
    how: { type: "string", default: "kill" },
    for: { type: "string", default: "20s" },
    yes: { type: "boolean", short: "y" },
    "allow-data-loss": { type: "boolean" },
    json: { type: "boolean" },
  });
  const engine = engineFromEnvironment();
  if (words.join() === "restore") return await restore(engine, await findStack(options.stack));
  const target = parseTarget(words);
  const terms = { how: parseHow(options.how), duration: parseLength(options.for) };
  const log = createLog();
  const stack = await findStack(options.stack);
  const scene = await findScene(engine, stack);
  const seen = await lookAtWell(scene);
  const loss = chooseLoss(target, scene.plan, seen);
  const staying = scene.nodes.filter(({ name }) => !loss.nodes.includes(name));
  if (staying.length === 0) throw new UserError("No node would be left to watch from.");
  const planOf = (look: WellLook) => {
    const plan = planDrill(scene.plan, look, { ...terms, stack: stack.name, loss });
    if (!options["allow-data-loss"]) refuseDataLoss(plan, look);
    return plan;
  };
  console.error(renderDrillPlan(planOf(seen), terminal()));
  if (!options.yes && !(await confirm())) {
    console.error("Nothing was touched.");
    return 1;
  }
  const access = await accessTo(stack, scene.settings.account, serversOf(staying));
  // While somebody thought about it, replicas may have moved.
  const plan = planOf(await lookAtWell(scene));
  const report = await rehearse({ engine, plan, nodes: scene.nodes, access, log });
  console.log(
    options.json ? JSON.stringify(report, null, 2) : `\n${renderDrill(report, terminal())}`,
  );
  return report.ok ? 0 : 1;
}

function serversOf(nodes: readonly DrillNode[]): Servers {
  const urls = nodes.map(({ clientUrl }) => clientUrl);
  const names = nodes.map(({ name }) => name);
  const ca = nodes[0]?.ca;
  return { urls, ...(ca === undefined ? {} : { tls: { ca, names } }) };
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

function parseHow(text: string): How {
  const how = HOWS.find((each) => each === text);
  if (how) return how;
  throw new UserError(`--how: ${text} is none of ${HOWS.join(", ")}.`);
}

/** @returns milliseconds. */
function parseLength(text: string): number {
  const shortest = formatDuration(SHORTEST_MS * 1e6);
  let duration: number;
  try {
    duration = parseDuration(text) / 1e6;
  } catch (cause) {
    throw new UserError(`--for: ${(cause as Error).message}`, { cause });
  }
  if (duration >= SHORTEST_MS) return duration;
  throw new UserError(`--for: ${text} is too short to tell anything; use ${shortest} or more.`);
}

async function restore(engine: Engine, stack: Stack): Promise<number> {
  const down = (await listContainers(engine, stack)).filter(({ state }) => state === "down");
  if (down.length === 0) {
    console.log(`No node of stack ${stack.name} is stopped or paused.`);
    return 0;
  }
  const problems = await bringBack(
    engine,
    down.map(({ container }) => container),
  );
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return 1;
  console.log(`Brought back: ${down.map(({ name }) => name).join(", ")}.`);
  return 0;
}
