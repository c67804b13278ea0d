import type { FieldChange } from "../../lib/base/field-table.ts";
import {
  describeConsumerChange,
  diffConsumer,
  requestedConfig,
} from "../../lib/consumers/consumer-diff.ts";
import { keepStart } from "../../lib/consumers/start-note.ts";
import type { ConsumerInfo } from "../../live/jetstream/consumers.ts";
import {
  ConsumerNotFound,
  ERROR_CODES,
  JetStreamError,
  JetStreamUnavailable,
  type StreamInfo,
} from "../../live/jetstream/jetstream.ts";
import { type Pace, Patience, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import type { Reporting } from "../streams/progress.ts";
import { describeRefusals, WAYS_OUT } from "./consumer-check.ts";
import { type ConsumerInputs, nameOf } from "./consumer-inputs.ts";
import type { AccountPorts } from "./consumer-recreate.ts";
import { whyUnsettled } from "./consumer-replicas.ts";

/** Consecutive looks that have to agree: right after an update a server may still report the state before it. */
const LOOKS = 2;

/** Looks at the same difference before a request that was sent counts as one without effect. */
const LOOKS_WHEN_SENT = 50;

/**
 * Brings a consumer to its config, and waits until it has its leader and all its replicas, where its stream is.
 *
 * @throws Error if it can't, or if nothing moves for as long as the pace allows.
 */
export async function convergeConsumer(
  { streams, consumers: port }: AccountPorts,
  goal: ConsumerInputs,
  pace: Pace & Reporting,
): Promise<ConsumerInfo> {
  const { stream, consumer } = goal;
  const patience = new Patience();
  const caughtUp = new Set<string>();
  let sent: { readonly changes: string; looks: number } | undefined;
  let settled = 0;
  return await until<ConsumerInfo, string>(
    async () => {
      const seen = await look();
      if (typeof seen === "string") return { shown: seen };
      const { info, home } = seen;
      for (const { name, current } of info.cluster?.replicas ?? []) if (current) caughtUp.add(name);
      const changes = diffConsumer(info.config, goal.config);
      if (changes.length > 0) {
        settled = 0;
        const described = changes.map(describeConsumerChange).join(", ");
        if (sent?.changes === described) {
          sent.looks += 1;
          if (sent.looks < LOOKS_WHEN_SENT) return { shown: `the servers take up ${described}` };
          throw new Error(`${nameOf(goal)}: the server accepts ${described} but does not keep it`);
        }
        await send(info, changes);
        sent = { changes: described, looks: 0 };
        patience.renew();
        return { shown: described };
      }
      const reason = whyUnsettled(info, home, (host) => caughtUp.has(host));
      settled = reason === undefined ? settled + 1 : 0;
      patience.record(JSON.stringify([info.cluster?.leader, reason]), 0);
      return settled >= LOOKS ? { done: info } : { shown: reason ?? "it has only just settled" };
    },
    {
      pause: pace.pause,
      limit: pace.patience,
      lasts: (_, now) => patience.lasts(now, sent !== undefined),
      describe: (reason) => `${nameOf(goal)}: ${reason}`,
      say: pace.say,
      interval: pace.interval,
      giveUp: (reason) => {
        throw new Error(
          `${nameOf(goal)} made no progress for ${pace.patience / 1_000} s: ${reason}; it goes on by itself, run "pulumi up" again once the servers are well`,
        );
      },
    },
  );

  async function look(): Promise<
    { readonly info: ConsumerInfo; readonly home: StreamInfo } | string
  > {
    try {
      const [info, home] = await Promise.all([port.info(stream, consumer), streams.info(stream)]);
      return { info, home };
    } catch (error) {
      if (error instanceof JetStreamUnavailable) return error.message;
      if (!(error instanceof ConsumerNotFound)) throw error;
      throw new Error(
        `${nameOf(goal)} is gone, and with it where it stood; run "pulumi refresh" to take note of that, then "pulumi up" to create it again`,
        { cause: error },
      );
    }
  }

  async function send(info: ConsumerInfo, changes: readonly FieldChange[]): Promise<void> {
    const refusals = describeRefusals(changes);
    if (refusals.length > 0) throw new Error(`${refusals.join("; ")}; ${WAYS_OUT}`);
    // An update leaves a pause as it is (nats-server 2.15, `jsClusteredConsumerRequest`).
    if (changes.every(({ path }) => path === "pauseUntil")) {
      await retry(() => port.pause(stream, consumer, goal.config.pause_until), pace);
      return;
    }
    const config = requestedConfig(keepStart(goal.config, info.config));
    try {
      await retry(() => port.put(stream, config, "update"), pace);
    } catch (error) {
      const isBound = error instanceof JetStreamError && error.code === ERROR_CODES.consumerBound;
      if (!isBound) throw error;
      throw new Error(
        `${nameOf(goal)} can't send elsewhere while somebody, or another stream, takes what it sends to ${info.config.deliver_subject}; stop that first`,
        { cause: error },
      );
    }
  }
}
