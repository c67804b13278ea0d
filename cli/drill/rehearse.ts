import { setTimeout as sleep } from "node:timers/promises";
import { countOf, listSome } from "../../lib/base/wording.ts";
import { streamKey, streamNamer } from "../../lib/streams/stream-name.ts";
import {
  type Agreement,
  closeConnections,
  JetStreamUnavailable,
  openAgreement,
} from "../../live/jetstream/jetstream.ts";
import { until } from "../../live/until.ts";
import type { Log } from "../terminal/log.ts";
import { UserError } from "../terminal/user-error.ts";
import type { ClientAccess } from "./client-access.ts";
import type { DrillPlan } from "./drill-plan.ts";
import { type DrillReport, reportOnDrill } from "./drill-report.ts";
import { bringBack, takeDown } from "./fault.ts";
import { type Forecast, isBack, type Sampling } from "./forecast.ts";
import { askWhyNotWell, type DrillNode } from "./scene.ts";
import { Watch } from "./watch.ts";

/** Milliseconds in which everything has to become healthy again. */
const RECOVERY_MS = 60_000;
/** Milliseconds after which an agreement counts as failed. */
const PATIENCE_MS = 2_000;
const POLL_MS = 500;
/** Attempts to get an agreement before the fault. */
const ATTEMPTS = 5;

export interface Rehearsal {
  readonly plan: DrillPlan;
  readonly nodes: readonly DrillNode[];
  /** A login through the remaining nodes. */
  readonly access: ClientAccess;
  readonly log: Log;
}

/**
 * Takes nodes down, observes, restores them, and waits until everything is healthy. The nodes are restored unless this
 * process is killed.
 *
 * @throws UserError if it was interrupted, or if a stream couldn't be written to before the fault.
 */
export async function rehearse(rehearsal: Rehearsal): Promise<DrillReport> {
  const { plan, nodes, access } = rehearsal;
  const staying = nodes.filter(({ name }) => !plan.loss.nodes.includes(name));
  const agree = openAgreement(access.connection, access.account, PATIENCE_MS);
  const interruption = listenForSignals();
  try {
    const sampling = await keepAskable(plan.sampling, agree);
    if (interruption.signal.aborted) throw new UserError("Interrupted: nothing was touched.");
    const watch = new Watch({ sampling, agree, monitors: staying });
    try {
      return await run({ ...rehearsal, sampling, watch, signal: interruption.signal });
    } finally {
      await watch.stop();
    }
  } finally {
    interruption.stop();
    await closeConnections();
  }
}

interface Run extends Rehearsal {
  readonly sampling: Sampling;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

interface RecoveryLook {
  readonly report: DrillReport;
  /** Milliseconds since the observation began. */
  readonly end: number;
  /** What isn't healthy yet. */
  readonly reason: string;
}

async function run(run: Run): Promise<DrillReport> {
  const { plan, nodes, watch, sampling, signal, log } = run;
  const { restoring, stranded } = await failAndRestore(run);
  watch.lookAt(nodes);
  const asked = new Set(sampling.groups.map(streamKey));
  const record = {
    observationsOf: (group: Forecast) => watch.observationsOf(group),
    isAsked: (stream: Forecast) => asked.has(streamKey(stream)),
    stranded,
    limit: RECOVERY_MS,
    restoring,
  };
  const nameOf = streamNamer(plan.streams);
  const step = log.step("Recovery");
  let said = "";
  try {
    return await until<DrillReport, RecoveryLook>(
      async () => {
        const lack = await askWhyNotWell(nodes);
        const end = watch.now();
        const seen = { ...record, end, ...(lack === undefined ? {} : { lack }) };
        const report = reportOnDrill({ ...plan, sampling }, seen);
        const missing = [report.metaGroup, ...report.streams].filter((finding) => !isBack(finding));
        if (lack === undefined && missing.length === 0) {
          step.done("every node, stream and consumer well", end - restoring);
          return { done: report };
        }
        const reason = lack ?? `waiting for ${listSome(missing.map(nameOf))}`;
        return { shown: { report, end, reason } };
      },
      {
        pause: POLL_MS,
        limit: RECOVERY_MS,
        lasts: ({ end }) => end - restoring,
        giveUp: ({ report }) => {
          step.failed("not all is well");
          return report;
        },
        describe: ({ reason }) => (reason === said ? undefined : reason),
        say: (reason) => {
          step.doing(reason);
          said = reason;
        },
        interval: 0,
        signal,
      },
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const state = stranded.length > 0 ? stranded.join("; ") : "every node was brought back";
  throw new UserError(
    `Interrupted: ${state}. Nothing was judged; \`npm run status\` says how the cluster is.`,
  );
}

interface Outage {
  readonly restoring: number;
  /** What couldn't be restored, one sentence each. */
  readonly stranded: readonly string[];
}

async function failAndRestore({ plan, nodes, watch, log, signal }: Run): Promise<Outage> {
  const failing = nodes.filter(({ name }) => plan.loss.nodes.includes(name));
  const step = log.step("Outage");
  step.doing(`docker ${plan.how}: ${listSome(plan.loss.nodes)}`);
  const restore = async () => {
    const restoring = watch.now();
    step.doing("bringing the nodes back");
    const stranded = await bringBack(failing);
    if (stranded.length > 0) step.failed(stranded.join("; "));
    else step.done(`${countOf(failing.length, "node")} down and brought back`);
    return { restoring, stranded };
  };
  try {
    await takeDown(failing, plan.how);
    await wait(plan, watch, step.doing, signal);
  } catch (error) {
    await restore();
    throw error;
  }
  return await restore();
}

/** Waits while the nodes are down, and shows what can't be written to. */
async function wait(
  { duration, metaGroup, streams, sampling }: DrillPlan,
  watch: Watch,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const nameOf = streamNamer(streams);
  const silence = PATIENCE_MS + sampling.interval;
  for (let said = ""; watch.now() < duration && !signal.aborted; ) {
    const silent = [metaGroup, ...streams].filter(
      (group) => watch.now() - lastSign(watch, group) > silence,
    );
    const text = silent.length > 0 ? `not writable: ${listSome(silent.map(nameOf))}` : "";
    if (text !== said) tell(text || "all writable");
    said = text;
    const rest = Math.min(POLL_MS, Math.max(0, duration - watch.now()));
    await sleep(rest, undefined, { signal }).catch(() => undefined);
  }
}

function lastSign(watch: Watch, group: Forecast): number {
  const { agreements, majorities } = watch.observationsOf(group);
  return Math.max(agreements.at(-1) ?? 0, majorities.at(-1) ?? 0);
}

/**
 * Asks each stream once, and removes those whose config doesn't allow the request.
 *
 * @throws UserError if one doesn't answer: later results of it would mean nothing.
 */
async function keepAskable(
  sampling: Sampling,
  agree: (stream: string) => Promise<Agreement>,
): Promise<Sampling> {
  const answers = await Promise.all(
    sampling.groups.map(async (group) => ({ group, answer: await retry(group.name, agree) })),
  );
  const groups = answers.filter(({ answer }) => answer === "agreed").map(({ group }) => group);
  return { ...sampling, groups };
}

async function retry(
  stream: string,
  agree: (stream: string) => Promise<Agreement>,
): Promise<Agreement> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await agree(stream);
    } catch (cause) {
      if (cause instanceof JetStreamUnavailable && attempt < ATTEMPTS) continue;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new UserError(`Nothing was touched, as stream ${stream} can't be watched: ${reason}`, {
        cause,
      });
    }
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Turns the signals that would end this process into a request to end the drill. */
function listenForSignals() {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of SIGNALS) process.on(signal, abort);
  return {
    signal: controller.signal,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, abort);
    },
  };
}
