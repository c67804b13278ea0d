/** How many consumers a stream may have that sets no limit of its own: nats-server 2.15 has one then, of 1,000. */
import type { AccountPlan } from "../accounts/account-settings.ts";
import { formatCount } from "../base/wording.ts";
import { isOlder, type ServerVersion } from "../nodes/versions.ts";
import type { ObservedStream } from "../observed/observed.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";

/** `JSDefaultMaxConsumersPerStream` in server/jetstream_api.go. */
const DEFAULT_LIMIT = 1_000;
const LIMITED_SINCE: ServerVersion = [2, 15, 0];
/** What is so close to the limit that people should know. */
const NEAR = 900;

/** Whether the servers have a limit of consumers for streams without one. */
export function hasDefaultLimit(version: ServerVersion): boolean {
  return !isOlder(version, LIMITED_SINCE);
}

/** The accounts whose own limit of consumers takes the place of the default one (`jsConsumerCreate`, 2.15). */
function isLimited(account: string, accounts: readonly AccountPlan[]): boolean {
  const jetStream = accounts.find(({ name }) => name === account)?.jetStream;
  return Boolean(jetStream && jetStream.maxConsumers !== undefined);
}

/** Says of a stream that is given no limit on purpose that it has one; nothing where it hasn't. */
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
 * Says which streams the default limit is close to, or has been passed by, once the servers have it.
 *
 * @param plannedOf what the settings call a stream and make of it; undefined where it is in no settings.
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
      const cure = planned
        ? `set ${streamPath(planned, "maxConsumers")}`
        : `nats stream edit ${name} --max-consumers, with a number`;
      return `stream ${name} (account ${account}) has ${formatCount(consumers.length)} consumers: from nats-server 2.15 on it may have ${formatCount(DEFAULT_LIMIT)}, as it sets no limit of its own. Those that are there stay; beyond it new ones are refused (error 10026), and so are those that are made again. For more: ${cure}`;
    });
}
