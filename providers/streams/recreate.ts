import { createHash } from "node:crypto";
import { countOf } from "../../lib/base/wording.ts";
import { stallTimerFrom, type WaitStatus } from "../../lib/observed/waiting.ts";
import { completeConfig, diffConfig } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import type { JetStreamPort, StreamInfo } from "../../live/jetstream/jetstream.ts";
import { find, type Pace, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import { dropAbsent, type Goal } from "./converge.ts";

/** Name of the stream that keeps another one's messages while that one is recreated. */
export function backupOf(stream: string): string {
  return `${stream}-nats-regions-backup`;
}

/**
 * Recreates a stream if its goal can't be reached in place and its policy allows it. What remains is a change in place.
 * It continues an interrupted run where that stopped.
 *
 * With `recreate: viaBackup` nothing is lost: the stream stops taking messages, a mirror copies it and becomes a stream
 * of its own, and the new stream starts as a mirror of that one. Mirrors keep sequence numbers, times and headers
 * (nats-server 2.12+, which can promote a mirror). Each copy is compared, message by message, before its original is
 * deleted.
 */
export async function recreate(port: JetStreamPort, goal: Goal, pace: Pace): Promise<void> {
  if (goal.policy.recreate === "viaBackup") return await recreateViaBackup(port, goal, pace);
  if (!goal.policy.allowDataLoss && !goal.config.mirror) return;
  const found = await find(port, goal.stream, pace);
  const mayGo = goal.policy.allowDataLoss || (found && hasNeverReceived(found, goal.config));
  if (!mayGo || (found && !isOutOfReach(found.config, goal.config))) return;
  if (found) await retry(() => port.delete(goal.stream), pace);
  await retry(() => port.create(completeConfig(goal.config)), pace);
}

/**
 * Whether a mirror that gets another origin has never received a message, so that recreating it loses nothing: the name
 * of its origin, or of the origin's account, was wrong.
 */
export function hasNeverReceived({ config, state }: StreamInfo, goal: StreamConfig): boolean {
  const { messages, last_seq: last, consumer_count: consumers } = state;
  const refused = diffConfig(config, goal).filter(({ effect }) => effect === "refused");
  return (
    config.mirror !== undefined &&
    !isRestoringConfig(config) &&
    messages + last + consumers === 0 &&
    refused.every(({ path }) => path === "mirror")
  );
}

/** Removes the backup, if there is one, after the new stream has all of its messages. */
export async function dropBackup(
  port: JetStreamPort,
  { stream, policy }: Goal,
  pace: Pace,
): Promise<void> {
  if (policy.recreate !== "viaBackup") return;
  const backup = await find(port, backupOf(stream), pace);
  if (!backup) return;
  const { state } = await port.info(stream);
  if (state.last_seq < backup.state.last_seq) {
    throw new Error(
      `stream ${stream} ends at sequence ${state.last_seq}, its copy ${backupOf(stream)} at ${backup.state.last_seq}: the copy holds messages that the stream doesn't; take them over by hand, then remove it: nats stream rm ${backupOf(stream)}`,
    );
  }
  await retry(() => port.delete(backupOf(stream)), pace);
}

/**
 * Refuses to create an empty stream whose messages an interrupted run has left in a backup.
 *
 * @throws Error naming the backup.
 */
export async function refuseForgottenBackup(
  port: JetStreamPort,
  { stream, policy }: Goal,
  pace: Pace,
): Promise<void> {
  if (policy.recreate === "viaBackup") return;
  const backup = await find(port, backupOf(stream), pace);
  if (backup) throw new Error(describeForgotten(stream, backup));
}

function describeForgotten(stream: string, { state }: StreamInfo): string {
  return `stream ${stream} was being recreated, and its ${countOf(state.messages, "message")} are in stream ${backupOf(stream)}; set recreate: viaBackup for it to go on`;
}

/**
 * Removes the backup of a stream that no longer has to be recreated: the original still has all messages.
 *
 * @param found the stream as it is.
 * @throws Error naming the backup, if the original is gone.
 */
export async function dropUnneededBackup(
  port: JetStreamPort,
  { stream, policy }: Goal,
  found: StreamInfo | undefined,
  pace: Pace,
): Promise<void> {
  if (policy.recreate === "viaBackup") return;
  const copy = await find(port, backupOf(stream), pace);
  if (!copy) return;
  const isOriginal = found && Date.parse(found.created) < Date.parse(copy.created);
  if (!isOriginal || isRestoring(found)) throw new Error(describeForgotten(stream, copy));
  await retry(() => port.delete(backupOf(stream)), pace);
}

/** Why a stream's messages can't be carried over to a new one; empty if they can. */
export function backupObstacles(
  goal: StreamConfig,
  { config, state }: StreamInfo,
  { allowDataLoss }: StreamPolicy,
): string[] {
  const { consumer_count: consumers } = state;
  const obstacles = [
    (config.mirror && !isRestoringConfig(config)) || goal.mirror
      ? "a mirror is copied from its origin: set allowDataLoss: true instead"
      : "",
    config.allow_msg_counter || goal.allow_msg_counter
      ? "the sums of a counter can't be copied"
      : "",
    (config.first_seq ?? 0) !== (goal.first_seq ?? 0)
      ? "firstSeq: a copy keeps the sequence numbers"
      : "",
    goal.retention === "interest" && config.retention !== "interest" && state.messages > 0
      ? "retention: a new stream has no consumers, and would keep no message for interest"
      : "",
    consumers > 0 && !allowDataLoss
      ? `its ${countOf(consumers, "consumer")} would be lost: remove them first, or also set allowDataLoss: true`
      : "",
  ];
  return obstacles
    .filter((obstacle) => obstacle !== "")
    .map((obstacle) => `recreate: ${config.name} can't be recreated by way of a copy; ${obstacle}`);
}

async function recreateViaBackup(port: JetStreamPort, goal: Goal, pace: Pace): Promise<void> {
  const { stream, config, policy } = goal;
  const backup = backupOf(stream);
  const original = await find(port, stream, pace);
  const mustGo = original !== undefined && isOutOfReach(original.config, config);
  if (mustGo) {
    const obstacles = backupObstacles(config, original, policy);
    if (obstacles.length > 0) throw new Error(obstacles.join("; "));
    await backUp(port, original, pace);
    await retry(() => port.delete(stream), pace);
  }
  if (mustGo || !original) {
    const copy = await find(port, backup, pace);
    if (!copy) return;
    if (copy.config.mirror) {
      throw new Error(
        `stream ${stream} is gone; what had been copied of it is in stream ${backup}: ${countOf(copy.state.messages, "message")}`,
      );
    }
    await retry(() => port.create(restoringConfigOf(config)), pace);
  }
  const restoring = await retry(() => port.info(stream), pace);
  if (isRestoring(restoring)) await awaitCopy(port, backup, stream, pace);
}

/** Whether a stream is being restored from its backup. */
export function isRestoring({ config }: StreamInfo): boolean {
  return isRestoringConfig(config);
}

function isRestoringConfig({ name, mirror }: StreamConfig): boolean {
  return mirror?.name === backupOf(name);
}

/** Copies a stream, after which it may be deleted. */
async function backUp(port: JetStreamPort, original: StreamInfo, pace: Pace): Promise<void> {
  const { config } = original;
  const backup = backupOf(config.name);
  if (!config.sealed) await retry(() => port.update(closed(config)), pace);
  const place = { num_replicas: config.num_replicas ?? 1, placement: config.placement };
  const copy = await find(port, backup, pace);
  if (!copy) {
    const mirror = { name: backup, mirror: { name: config.name }, ...dropAbsent(place) };
    await retry(() => port.create(completeConfig(mirror)), pace);
  }
  await awaitCopy(port, config.name, backup, pace);
  if (copy && !copy.config.mirror) return;
  const own = { name: backup, subjects: [`_backup.${config.name}`], ...dropAbsent(place) };
  await retry(() => port.update(completeConfig(own)), pace);
}

/** The config of a stream that takes no more messages and deletes none by age. */
function closed(config: StreamConfig): StreamConfig {
  const { sources: _, ...rest } = config;
  return completeConfig({ ...rest, subjects: [`_closed.${config.name}`], max_age: 0 });
}

/**
 * The config of the new stream while it takes over its messages. Fields that can't be changed later have their final
 * values; the others are changed in place afterwards, because a mirror accepts only some of them.
 */
function restoringConfigOf(goal: StreamConfig): StreamConfig {
  const { name, storage, persist_mode, num_replicas, placement } = goal;
  const fixed = dropAbsent({ storage, persist_mode, num_replicas, placement });
  const retention = goal.retention === "workqueue" ? { retention: goal.retention } : {};
  return completeConfig({ name, mirror: { name: backupOf(name) }, ...fixed, ...retention });
}

/** Waits until a mirror has caught up, then compares. @throws Error if they differ. */
async function awaitCopy(port: JetStreamPort, from: string, to: string, pace: Pace): Promise<void> {
  const { state: wanted } = await retry(() => port.info(from), pace);
  await until<void, WaitStatus & { readonly messages: number }>(
    async () => {
      const { messages, last_seq: last } = (await retry(() => port.info(to), pace)).state;
      if (last >= wanted.last_seq && messages >= wanted.messages) return { done: undefined };
      return { shown: { reason: to, behind: wanted.messages - messages, messages } };
    },
    {
      pause: pace.pause,
      limit: pace.patience,
      lasts: stallTimerFrom(performance.now()),
      giveUp: ({ messages }) => {
        throw new Error(
          `stream ${to} has ${messages} of the ${countOf(wanted.messages, "message")} of ${from}, and made no progress for ${pace.patience / 1_000} s; run "pulumi up" again once the servers are well`,
        );
      },
    },
  );
  const [ours, theirs] = await Promise.all([digest(port, from, pace), digest(port, to, pace)]);
  if (ours.count === theirs.count && ours.sum === theirs.sum) return;
  throw new Error(
    `stream ${to} is no true copy of ${from}: ${countOf(theirs.count, "message")} (${theirs.sum}) instead of ${ours.count} (${ours.sum}); both are kept`,
  );
}

/** Messages that are requested at once. */
const BATCH = 256;

/** Counts and hashes a stream's messages: numbers, subjects, times, headers and contents. */
async function digest(
  port: JetStreamPort,
  stream: string,
  pace: Pace,
): Promise<{ readonly count: number; readonly sum: string }> {
  const { first_seq: first, last_seq: last } = (await retry(() => port.info(stream), pace)).state;
  const hash = createHash("sha256");
  let count = 0;
  for (let begin = first; begin <= last; begin += BATCH) {
    const sequences = Array.from(
      { length: Math.min(BATCH, last - begin + 1) },
      (_, i) => begin + i,
    );
    const messages = await Promise.all(
      sequences.map((sequence) => retry(() => port.message(stream, sequence), pace)),
    );
    for (const message of messages.filter((each) => each !== undefined)) {
      const { seq, subject, time, hdrs = "", data = "" } = message;
      hash.update(JSON.stringify([seq, subject, time, hdrs, data]));
      count += 1;
    }
  }
  return { count, sum: hash.digest("hex").slice(0, 16) };
}

function isOutOfReach(from: StreamConfig, to: StreamConfig): boolean {
  return diffConfig(from, to).some(({ effect }) => effect === "refused");
}
