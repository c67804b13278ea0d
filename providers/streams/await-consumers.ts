import { countOf } from "../../lib/base/wording.ts";
import type { JetStreamPort, StreamInfo } from "../../live/jetstream/jetstream.ts";
import { type Pace, Patience, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import { whyUnsettled } from "../consumers/consumer-replicas.ts";
import type { Reporting } from "./progress.ts";

/** Consecutive looks that have to agree. */
const LOOKS = 2;

/**
 * Waits until the durable consumers of a stream that was changed have their leaders and their replicas, on hosts of the
 * stream: the servers bring them along, in the background (nats-server 2.15, `remapConsumerAssignments`).
 *
 * @throws Error if nothing moves for as long as the pace allows.
 */
export async function awaitConsumers(
  port: JetStreamPort,
  { config: { name }, state }: StreamInfo,
  pace: Pace & Reporting,
): Promise<void> {
  if (state.consumer_count === 0) return;
  const patience = new Patience();
  const caughtUp = new Set<string>();
  let settled = 0;
  await until<void, string>(
    async () => {
      const [stream, consumers] = await retry(
        () => Promise.all([port.info(name), port.consumers(name)]),
        pace,
      );
      const reason = consumers
        ? firstReason(consumers.filter(({ config }) => config?.durable_name !== undefined))
        : "some of its consumers have no leader";
      settled = reason === undefined ? settled + 1 : 0;
      return settled >= LOOKS ? { done: undefined } : { shown: reason ?? "they have just settled" };

      function firstReason(durable: NonNullable<typeof consumers>): string | undefined {
        for (const each of durable) {
          const keyOf = (host: string) => `${each.name} ${host}`;
          for (const { name: host, current } of each.cluster?.replicas ?? []) {
            if (current) caughtUp.add(keyOf(host));
          }
          const reason = whyUnsettled(each, stream, (host) => caughtUp.has(keyOf(host)));
          patience.record(`${each.name} ${reason}`, 0);
          if (reason !== undefined) return `consumer ${each.name}: ${reason}`;
        }
        return undefined;
      }
    },
    {
      pause: pace.pause,
      limit: pace.patience,
      lasts: (_, now) => patience.lasts(now, true),
      describe: (reason) => `${name}: ${reason}`,
      say: pace.say,
      interval: pace.interval,
      giveUp: (reason) => {
        throw new Error(
          `stream ${name} is where it should be, but not its ${countOf(state.consumer_count, "consumer")}, which made no progress for ${pace.patience / 1_000} s: ${reason}; it goes on by itself, run "pulumi up" again once the servers are well`,
        );
      },
    },
  );
}
