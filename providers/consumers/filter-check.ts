import type { FieldChange } from "../../lib/base/field-table.ts";
import { formatCount } from "../../lib/base/wording.ts";
import { describeConsumerChange, isRefused } from "../../lib/consumers/consumer-diff.ts";
import { awaited, describeStanding } from "../../lib/consumers/standing.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { isSubset } from "../../lib/streams/subjects.ts";
import type { ConsumerInfo } from "../../live/jetstream/consumers.ts";
import type { CheckVerdict } from "../streams/stream-inputs.ts";
import { type ConsumerInputs, nameOf } from "./consumer-inputs.ts";

/**
 * Judges other filters, which the server takes in place (nats-server 2.15, `updateConfig` in server/consumer.go). A
 * stream with `retention: interest` deletes at once what it kept for the subjects that are left out. Messages of
 * subjects that are added don't come if the consumer is past them, and stay in a work queue for ever.
 */
export function judgeFilters(
  changes: readonly FieldChange[],
  news: ConsumerInputs,
  found: ConsumerInfo,
  { retention }: Pick<StreamConfig, "retention">,
): CheckVerdict {
  const change = changes.find(({ path }) => path === "filterSubjects");
  if (!change) return { refusals: [], notices: [] };
  // It begins with its new filters, so that it isn't past anything.
  const isMadeAnew = changes.some(isRefused);
  const [before, after] = [filtersIn(change.from), filtersIn(change.to)];
  const left = before.filter((filter) => !after.some((other) => isSubset(filter, other)));
  const added = after.filter((filter) => !before.some((other) => isSubset(filter, other)));
  const { stream_seq: last } = found.delivered;
  const described = `${nameOf(news)}: ${describeConsumerChange(change)}`;
  const drops = retention === "interest" && left.length > 0 && awaited(found) > 0;
  const dropped = `${described}: the stream deletes what it keeps for ${left.join(", ")} alone (${describeStanding(found)})`;
  const wayOut = "put it back, or set allowDataLoss: true for the consumer to let that go";
  const rest = retention === "workqueue" ? "they stay in the work queue" : "they don't come";
  return {
    refusals: drops && !news.policy.allowDataLoss ? [`${dropped}; ${wayOut}`] : [],
    notices: [
      ...(drops && news.policy.allowDataLoss ? [dropped] : []),
      ...(added.length > 0 && last > 0 && !isMadeAnew
        ? [
            `${described}: it is past the messages of ${added.join(", ")} up to sequence ${formatCount(last)}, ${rest}`,
          ]
        : []),
    ],
  };
}

function filtersIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [">"];
}
