/** The default limit of consumers: since 2.15, nats-server allows 1,000 for a stream that sets no limit. */
import type { AccountPlan } from "../accounts/account-settings.ts";
import { formatCount } from "../base/wording.ts";
import { isOlder, type ServerVersion } from "../nodes/versions.ts";
import type { ObservedStream } from "../observed/observed.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";

/** `JSDefaultMaxConsumersPerStream` in server/jetstream_api.go. */
const DEFAULT_LIMIT = 1_000;
const LIMITED_SINCE: ServerVersion = [2, 15, 0];
/** The number of consumers from which users are warned. */
const NEAR = 900;

/** Whether servers of a version apply the default limit. */
export function hasDefaultLimit(version: ServerVersion): boolean {
  return !isOlder(version, LIMITED_SINCE);
}

/** Whether an account has a limit of consumers, which replaces the default limit (`jsConsumerCreate`, 2.15). */
function isLimited(account: string, accounts: readonly AccountPlan[]): boolean {
  const jetStream = accounts.find(({ name }) => name === account)?.jetStream;
  return Boolean(jetStream && jetStream.maxConsumers !== undefined);
}

/** Warns if a stream sets `maxConsumers: -1`, but the default limit applies all the same. */
export function unlimitedWarnings(
  { account, config }: { readonly account: string; readonly config: StreamConfig },
  accounts: readonly AccountPlan[],
  version: ServerVersion | undefined,
): string[] {
  const isOn = version !== undefined && hasDefaultLimit(version) && !isLimited(account, accounts);
  return isOn && config.max_consumers === -1
    ? [
        `maxConsumers -1: nats-server takes it for ${formatCount(DEFAULT_LIMIT)} from 2.15 on; set a number for more`,
      ]
    : [];
}

/**
 * Warns of streams whose consumers are near the default limit, or beyond it, before the servers apply it.
 *
 * @param plannedOf key and planned config of a stream; undefined if it isn't in the settings.
 */
export function limitNotices(
  streams: readonly ObservedStream[],
  plannedOf: (
    stream: ObservedStream,
  ) => { readonly key: string; readonly config: StreamConfig } | undefined,
  accounts: readonly AccountPlan[],
): string[] {
  return streams
    .filter((stream) => {
      const { max_consumers: own = -1 } = (plannedOf(stream) ?? stream).config;
      return own < 1 && stream.consumers.length >= NEAR && !isLimited(stream.account, accounts);
    })
    .map((stream) => {
      const { name, account, consumers } = stream;
      const planned = plannedOf(stream);
      const remedy = planned
        ? `set ${streamPath(planned, "maxConsumers")}`
        : `nats stream edit ${name} --max-consumers, with a number`;
      return `stream ${name} (account ${account}) has ${formatCount(consumers.length)} consumers: from nats-server 2.15 on it may have ${formatCount(DEFAULT_LIMIT)}, as it sets no limit of its own. Those that are there stay; beyond it new ones are refused (error 10026), and so are those that are made again. For more: ${remedy}`;
    });
}
