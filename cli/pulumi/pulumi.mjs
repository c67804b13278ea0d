#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import {
  describeProgram,
  digestSettings,
  filesOf,
  goesByState,
  noteBegin,
  noteEnd,
  planSteps,
  readSettings,
  wasDestroyKilled,
} from "./checkpoints.mjs";
import { endLike, run } from "./exec.mjs";
import { crampedFolder } from "./full-disk.mjs";
import { clearStaleLocks, findLocks } from "./killed.mjs";
import { findCli, project, pulumiEnvironment } from "./project.mjs";
import { findReplacedVolume } from "./replaced.mjs";
import { findSilence } from "./silence.mjs";
import { commandOf, findUnguarded } from "./targets.mjs";

const args = process.argv.slice(2);
const cli = findCli(process.env);
if (!cli) {
  console.error(
    "Pulumi is not set up here yet. Run `npm run setup`, or `npm start` for all at once.",
  );
  process.exit(127);
}

const { env, createStack, stack, projectName, refusal } = pulumiEnvironment(args, process.env);
if (refusal) {
  console.error(refusal);
  process.exit(1);
}
env.PATH = [dirname(cli), env.PATH].join(delimiter);
const command = commandOf(args);
// For what is right only where all ends: see createShutdown in components/nats-cluster.ts.
env.NATS_REGIONS_COMMAND = command;
// Both the preview that saves a plan and the one of an `up` by it have to have what that `up` has.
if (args.some((arg) => /^--(save-)?plan(=|$)/.test(arg))) env.NATS_REGIONS_HAS_PLAN = "true";

for (const pid of clearStaleLocks(env.PULUMI_BACKEND_URL)) {
  console.error(`Took away the lock of a pulumi command that was killed (process ${pid}).`);
}

const cramped = ["up", "refresh"].includes(command ?? "") && crampedFolder(env.PULUMI_BACKEND_URL);
if (cramped) {
  console.error(`The disk that the state is on is full: make room in ${cramped} first.`);
  process.exit(1);
}

const volume = findReplacedVolume(args);
if (volume) {
  console.error(
    `A volume can't be replaced by an \`up\`: the new one of its name would be the old one. To have a node's data copied again, remove its container and its volume (docker rm --force, docker volume rm), and run \`npx pulumi up --refresh\`: replicas are copied back from other nodes. It was ${volume}.`,
  );
  process.exit(1);
}

const unguarded = findUnguarded(args);
if (unguarded !== undefined) {
  console.error(
    `Containers aren't updated without the steps around them, which wait until a restart takes no majority: leave out ${unguarded}. All that changes is updated then, zone by zone; to replace a container that doesn't change, say --replace with its URN.`,
  );
  process.exit(1);
}

const there = filesOf(env.PULUMI_BACKEND_URL, projectName, stack);
if (createStack) {
  const { status } = spawnSync(cli, ["stack", "init", createStack, "--no-select"], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
}

const files = there ?? filesOf(env.PULUMI_BACKEND_URL, projectName, stack);
const isBusy = findLocks(env.PULUMI_BACKEND_URL, `${projectName}/${stack}`).length > 0;
if (files && !isBusy && goesByState(command) && wasDestroyKilled(files)) {
  console.error(
    `A destroy of stack ${stack} was killed: parts are gone that its state still has. \`npx pulumi destroy\` goes on with it.`,
  );
  process.exit(1);
}

const silence = await findSilence({ args, cli, env, project, stack, state: files?.state });
if (silence.refusal) {
  console.error(silence.refusal);
  process.exit(1);
}
for (const line of silence.lines) console.error(line);

const wanted = await digestSettings(readSettings(args, project, stack), surroundings);
/** @type {ReturnType<typeof planSteps>} */
const asGiven = [{ args: [...args, ...silence.args], set: {} }];
const isUsers = env.PULUMI_SKIP_CHECKPOINTS !== undefined;
const steps =
  files && !isUsers && !isBusy ? planSteps([...args, ...silence.args], files, wanted) : asGiven;
if (files) env.NATS_REGIONS_ROSTER_NOTE = files.rosterNote;

try {
  for (const [index, { args, set, say }] of steps.entries()) {
    if (say) console.error(say);
    if (files && set.PULUMI_SKIP_CHECKPOINTS) noteBegin(command, files);
    const end = await run(cli, args, { ...env, ...set });
    const isLast = end.status !== 0 || index === steps.length - 1;
    const done = wanted && (isLast ? wanted : { ...wanted, streams: {} });
    if (files && !isBusy) noteEnd(args, end.status, files, done);
    if (!isLast) continue;
    const changes = ["up", "destroy", "refresh"].includes(command ?? "");
    if (end.wasInterrupted && end.status !== 0 && changes) {
      console.error(
        `Interrupted: nothing has to be cleaned up, and \`npx pulumi ${command}\` goes on from here.`,
      );
    }
    const hasRest = silence.left && end.status === 0 && !args.includes("--preview-only");
    if (hasRest) console.error(silence.left);
    endLike(hasRest ? { ...end, status: 1 } : end);
  }
} catch (error) {
  const { message } = /** @type {Error} */ (error);
  console.error(`${message}. Remove it, and run \`npm run setup\`.`);
  process.exit(126);
}

/** What decides about nodes besides the settings. */
function surroundings() {
  return [describeProgram(project), env.DOCKER_HOST ?? "", env.DOCKER_CONTEXT ?? ""];
}
