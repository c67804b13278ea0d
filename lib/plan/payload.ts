/** The maximum size of messages: `max_payload` of servers and accounts, and settings that depend on it. */
import type { AccountPlan } from "../accounts/account-settings.ts";
import type { Problem } from "../base/errors.ts";
import { formatBytes } from "../base/quantities.ts";
import { completeConfig } from "../streams/stream-diff.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";

/** Bytes above which nats-server logs a warning (2.15, `MAX_PAYLOAD_MAX_SIZE`). */
const MUCH_PAYLOAD = 8 * 1024 ** 2;
/** Bytes that the stack's own requests need besides a stream's config, e.g. for names of peers and streams. */
const OTHER_REQUESTS = 256;

/** The part of a stream that depends on the size of messages. */
export interface PayloadStream {
  /** Its key in the settings. */
  readonly key: string;
  readonly account: string;
  readonly config: StreamConfig;
}

/** Warnings about `maxPayload`, one sentence each. */
export function payloadNotices(maxPayload: number): string[] {
  if (maxPayload <= MUCH_PAYLOAD) return [];
  return [
    `maxPayload ${formatBytes(maxPayload)}: nats-server advises against more than ${formatBytes(MUCH_PAYLOAD)}, as each message is held whole in memory by every node that it passes`,
  ];
}

/**
 * Reports limits that have no effect because they exceed `maxPayload`, and limits too small for the stack's own
 * requests.
 */
export function payloadProblems(
  maxPayload: number,
  accounts: readonly AccountPlan[],
  streams: readonly PayloadStream[],
): Problem[] {
  return [
    ...accounts.flatMap(({ name, limits: { payload } }) =>
      tooLarge(`accounts.${name}.limits.payload`, payload, maxPayload),
    ),
    ...streams.flatMap((stream) =>
      tooLarge(streamPath(stream, "maxMsgSize"), stream.config.max_msg_size, maxPayload),
    ),
    ...accounts
      .filter(({ jetStream }) => jetStream !== false)
      .flatMap(({ name, limits: { payload = maxPayload } }) => {
        const path = payload < maxPayload ? `accounts.${name}.limits.payload` : "maxPayload";
        const own = streams.filter(({ account }) => account === name);
        return tooSmall(path, payload, own);
      }),
  ];
}

function tooLarge(path: string, size: number | undefined, maxPayload: number): Problem[] {
  if (size === undefined || size <= maxPayload) return [];
  const message = `${formatBytes(size)} is more than any message may have: maxPayload is ${formatBytes(maxPayload)}`;
  return [{ path, message, fix: "raise maxPayload, or lower it" }];
}

/** The server applies the limit to API requests as to any message (nats-server 2.15, client.go, `processPub`). */
function tooSmall(path: string, payload: number, streams: readonly PayloadStream[]): Problem[] {
  const requests = streams.map(({ key, config }) => {
    const body = JSON.stringify(completeConfig(config));
    return { key, size: Buffer.byteLength(body) + OTHER_REQUESTS };
  });
  const [largest = { size: OTHER_REQUESTS }] = requests.sort((a, b) => b.size - a.size);
  if (payload >= largest.size) return [];
  const what =
    "key" in largest ? `the config of stream ${largest.key}` : "what the stack asks of JetStream";
  const message = `${formatBytes(payload)} is too little for ${what}, which takes ${largest.size} bytes`;
  return [{ path, message, fix: "raise it" }];
}
