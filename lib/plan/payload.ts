/** How large a message may be: `max_payload` of servers and accounts, and what rests on it. */
import type { AccountPlan } from "../accounts/account-settings.ts";
import type { Problem } from "../base/errors.ts";
import { formatBytes } from "../base/quantities.ts";
import { completeConfig } from "../streams/stream-diff.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";

/** It warns of more (nats-server 2.15, `MAX_PAYLOAD_MAX_SIZE`). */
const MUCH_PAYLOAD = 8 * 1024 ** 2;
/** The stack's own requests beside a stream's config: names of peers, of streams to go on from. */
const OTHER_REQUESTS = 256;

/** A stream, as far as the size of messages is concerned. */
export interface PayloadStream {
  /** What the settings call it. */
  readonly key: string;
  readonly account: string;
  readonly config: StreamConfig;
}

/** What people should know of a `maxPayload`, a sentence each. */
export function payloadNotices(maxPayload: number): string[] {
  if (maxPayload <= MUCH_PAYLOAD) return [];
  return [
    `maxPayload ${formatBytes(maxPayload)}: nats-server advises against more than ${formatBytes(MUCH_PAYLOAD)}, as each message is held whole in memory by every node that it passes`,
  ];
}

/** Says which sizes can have no effect, and which would keep the stack itself from its streams. */
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

/** The server counts a request as it does any message (nats-server 2.15, client.go, `processPub`). */
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
