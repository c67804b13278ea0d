/** Limits of the servers that the rest of the settings has to keep to. */
import type { Problem } from "../base/errors.ts";
import { formatBytes, formatDuration } from "../base/quantities.ts";
import { imageVersion, isOlder, type ServerVersion } from "../nodes/versions.ts";
import { SETTINGS } from "../settings/settings-table.ts";
import { completeConfig } from "../streams/stream-diff.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";
import type { Settings } from "./settings.ts";

type Limits = Pick<
  Settings,
  "image" | "maxPayload" | "maxPending" | "duplicateWindow" | "maxHaAssets" | "defaultMaxConsumers"
>;

/** The first version with the option `default_max_consumers`. Earlier ones refuse a config that has it. */
const DEFAULT_MAX_CONSUMERS_SINCE: ServerVersion = [2, 15, 0];

/** The part of a stream that the limits of servers are about. */
interface LimitedStream {
  /** Its key in the settings. */
  readonly key: string;
  readonly config: StreamConfig;
}

/** Warnings about logs, one sentence each. */
export function limitNotices({ trace }: Pick<Settings, "trace">): string[] {
  return trace
    ? ["trace: the contents of every message are in the nodes' logs, and the logs grow with them"]
    : [];
}

/** Reports what servers would refuse because of their limits (nats-server 2.15). */
export function limitProblems(
  { image, maxPayload, maxPending, duplicateWindow, maxHaAssets, defaultMaxConsumers }: Limits,
  streams: readonly LimitedStream[],
  nodes: number,
): Problem[] {
  const version = imageVersion(image);
  const isUnknown = version !== undefined && isOlder(version, DEFAULT_MAX_CONSUMERS_SINCE);
  return [
    ...(isUnknown && defaultMaxConsumers !== SETTINGS.defaultMaxConsumers.default
      ? [
          {
            path: "defaultMaxConsumers",
            message: `nats-server ${version.join(".")} has no such option`,
            fix: "use an image of 2.15, or leave it out",
          },
        ]
      : []),
    ...(maxPayload > maxPending
      ? [
          {
            path: "maxPending",
            message: `${formatBytes(maxPending)} is less than one message may have: maxPayload is ${formatBytes(maxPayload)}`,
            fix: "raise it, or lower maxPayload",
          },
        ]
      : []),
    ...(duplicateWindow === 0
      ? []
      : streams.flatMap((stream) => windowProblems(stream, duplicateWindow * 1e6))),
    ...(maxHaAssets === 0 ? [] : assetProblems(streams, maxHaAssets, nodes)),
  ];
}

/** The stack always sends a stream's window, also where it is the server's default. */
function windowProblems({ key, config }: LimitedStream, most: number): Problem[] {
  const { duplicate_window: window = 0 } = completeConfig(config);
  if (window <= most) return [];
  return [
    {
      path: streamPath({ key }, "duplicateWindow"),
      message: `${formatDuration(window)} is more than any stream may have: the setting duplicateWindow is ${formatDuration(most)}`,
      fix: "raise that, or set a shorter one here",
    },
  ];
}

/** The least that the streams take, spread evenly. Their consumers count as well, but no settings know them. */
function assetProblems(streams: readonly LimitedStream[], most: number, nodes: number): Problem[] {
  const replicas = streams
    .map(({ config }) => config.num_replicas ?? 1)
    .filter((count) => count > 1)
    .reduce((sum, count) => sum + count, 0);
  if (replicas <= most * nodes) return [];
  return [
    {
      path: "maxHaAssets",
      message: `${most} on each of ${nodes} nodes is less than the ${replicas} replicas of the streams`,
      fix: "raise it",
    },
  ];
}
