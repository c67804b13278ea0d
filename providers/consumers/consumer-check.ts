import type { FieldChange } from "../../lib/base/field-table.ts";
import {
  describeConsumerChange,
  diffConsumer,
  isRefused,
} from "../../lib/consumers/consumer-diff.ts";
import { awaited, describeStanding, placeOf } from "../../lib/consumers/standing.ts";
import type { ConsumerInfo } from "../../live/jetstream/consumers.ts";
import type { CheckVerdict } from "../streams/stream-inputs.ts";
import { type ConsumerIdentity, type ConsumerInputs, nameOf } from "./consumer-inputs.ts";

/** What users can do about a change that the server refuses. */
export const WAYS_OUT =
  "put it back, or have the consumer made anew: recreate: atAckFloor goes on where it stands, allowDataLoss: true lets that go";

/** Refuses another stream, account or name: it would be another consumer, which stands elsewhere. */
export function refusedIdentity(olds: Partial<ConsumerIdentity>, news: ConsumerIdentity): string[] {
  return (["consumer", "stream", "account"] as const)
    .filter((key) => olds[key] !== undefined && olds[key] !== news[key])
    .map(
      (key) =>
        `${key}: "${olds[key]}" can't become "${news[key]}" without losing where ${nameOf({ ...news, ...olds })} stands; add a new one beside it, and take the old one out once that is no longer needed`,
    );
}

/** What the settings change, compared with the state or, for a new resource, with the existing consumer. */
export function changesBy(
  olds: Partial<ConsumerInputs>,
  { config }: ConsumerInputs,
  found: ConsumerInfo | undefined,
): readonly FieldChange[] {
  const base = olds.config ?? found?.config;
  return base ? diffConsumer(base, config) : [];
}

/**
 * Judges the changes to a consumer, before anything is sent.
 *
 * @param found the consumer as it is; undefined if it doesn't exist, or if JetStream doesn't answer.
 */
export function judge(
  olds: Partial<ConsumerInputs>,
  news: ConsumerInputs,
  found: ConsumerInfo | undefined,
): CheckVerdict {
  const changes = changesBy(olds, news, found);
  const isUnmanaged = olds.config === undefined && found !== undefined;
  if (isUnmanaged && changes.length > 0 && !news.policy.adopt) {
    return { refusals: [describeUnmanaged(news, changes, found)], notices: [] };
  }
  const adoption = isUnmanaged
    ? [`${nameOf(news)} is there already, and is adopted: ${describeStanding(found)}`]
    : [];
  const { refusals, notices } = judgeImmutable(changes, news, found);
  return {
    refusals: [...refusals, ...boundSubject(changes, news, found)],
    notices: [...adoption, ...notices],
  };
}

/** Says that a consumer exists which isn't managed by this stack, and what to do about it. */
export function describeUnmanaged(
  identity: ConsumerIdentity,
  changes: readonly FieldChange[],
  found: ConsumerInfo,
): string {
  const differences = changes.map(describeConsumerChange).join(", ");
  return `${nameOf(identity)} exists in account ${identity.account} already (${describeStanding(found)}), and differs (${differences}); set adopt: true for it to get these settings, give the settings its values, or give the consumer another name`;
}

/** Describes each refused change with its reason. */
export function describeRefusals(changes: readonly FieldChange[]): string[] {
  return changes
    .filter(isRefused)
    .map((change) => `${describeConsumerChange(change)}: ${change.reason}`);
}

/** Changes that only a new consumer could satisfy. */
function judgeImmutable(
  changes: readonly FieldChange[],
  news: ConsumerInputs,
  found: ConsumerInfo | undefined,
): CheckVerdict {
  const refused = describeRefusals(changes);
  if (refused.length === 0) return { refusals: [], notices: [] };
  const standing = found ? describeStanding(found) : "where it stands is unknown";
  const why = refused.join("; ");
  if (news.policy.recreate && found && !placeOf(found, found.config, found.created)) {
    return { refusals: [describeNoPlace(news, found)], notices: [] };
  }
  if (news.policy.recreate) {
    const again = found && awaited(found) > 0 ? " Messages behind it may come again." : "";
    const notice = `${nameOf(news)} is made anew (${why}), and goes on behind what is acknowledged: ${standing}.${again}`;
    return { refusals: [], notices: [notice] };
  }
  if (news.policy.allowDataLoss) {
    const notice = `${nameOf(news)} is deleted and made anew (${why}), and begins where its deliverPolicy says: ${standing}`;
    return { refusals: [], notices: [notice] };
  }
  return {
    refusals: refused.map((reason) => `${reason}; ${nameOf(news)}: ${standing}: ${WAYS_OUT}`),
    notices: [],
  };
}

/** Says that nobody can tell where another consumer would have to begin, see {@link placeOf}. */
export function describeNoPlace(identity: ConsumerIdentity, { config }: ConsumerInfo): string {
  return `${nameOf(identity)} can't be made anew where it stands: nothing that it delivered is acknowledged, and where it began (${config.deliver_policy}) isn't known any more; acknowledge a message, or set allowDataLoss: true in the place of recreate`;
}

/** nats-server refuses another subject while somebody subscribes to the one that there is (error 10013). */
function boundSubject(
  changes: readonly FieldChange[],
  news: ConsumerInputs,
  found: ConsumerInfo | undefined,
): string[] {
  const change = changes.find(({ path }) => path === "deliverSubject");
  if (!change || isRefused(change) || !found?.push_bound || changes.some(isRefused)) return [];
  return [
    `${describeConsumerChange(change)}: somebody subscribes to ${change.from}; stop the clients of ${nameOf(news)} first`,
  ];
}
