/** Which fields of streams and consumers the servers of a cluster know. */
import type { Problem } from "../base/errors.ts";
import { type FieldTable, isEqual, type NestedTable } from "../base/field-table.ts";
import { isMap } from "../base/records.ts";
import type { ConsumerPlan } from "../consumers/consumer-config.ts";
import { CONSUMER_FIELDS } from "../consumers/consumer-fields.ts";
import { isOlder, type ServerVersion } from "../nodes/versions.ts";
import { STREAM_FIELDS, type StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";

/** The oldest server whose streams can be managed: older ones can't hand a stream over to a given server. */
export const OLDEST_OF_OTHERS: ServerVersion = [2, 11, 0];

/** The servers that introduced each level of JetStream's API. */
const SINCE: Readonly<Record<number, string>> = { 1: "2.11", 2: "2.12", 4: "2.14" };

/** The oldest of some servers. */
export interface OldestServer {
  /** Its name. */
  readonly server: string;
  readonly version: ServerVersion;
  readonly apiLevel: number;
}

/** Says that a server is too old, and what to do; undefined if it isn't. */
export function tooOld({ server, version }: OldestServer): Problem | undefined {
  if (!isOlder(version, OLDEST_OF_OTHERS)) return undefined;
  return {
    path: "servers",
    message: `${server} is nats-server ${version.join(".")}`,
    fix: `this works with ${OLDEST_OF_OTHERS.slice(0, 2).join(".")} and later: upgrade it first`,
  };
}

interface Desired {
  readonly key: string;
  readonly config: StreamConfig;
  readonly consumers: readonly Pick<ConsumerPlan, "name" | "config">[];
}

/** Reports fields that the oldest server doesn't know. It would ignore them, or refuse the stream. */
export function unknownFields(streams: readonly Desired[], oldest: OldestServer): Problem[] {
  return streams.flatMap((stream) => [
    ...newer(STREAM_FIELDS, stream.config, oldest, (field) => streamPath(stream, field)),
    ...stream.consumers.flatMap(({ name, config }) =>
      newer(CONSUMER_FIELDS, config, oldest, (field) =>
        streamPath(stream, `consumers.${name}.${field}`),
      ),
    ),
  ]);
}

function newer(
  table: FieldTable | NestedTable,
  config: object,
  { server, version, apiLevel }: OldestServer,
  pathOf: (field: string) => string,
): Problem[] {
  const values = new Map(Object.entries(config));
  return Object.entries(table).flatMap(([setting, field]) => {
    const value: unknown = values.get(field.api);
    if (value === undefined || ("default" in field && isEqual(value, field.default))) return [];
    const { since } = field as { readonly since?: number };
    if (since !== undefined && since > apiLevel) {
      const message = `needs nats-server ${SINCE[since]}, and ${server} is ${version.join(".")}`;
      return [{ path: pathOf(setting), message, fix: "take it out, or upgrade the servers" }];
    }
    if (!("fields" in field)) return [];
    const within = (index: string) => (name: string) => pathOf(`${setting}${index}.${name}`);
    const parts = Array.isArray(value)
      ? value.map((part: unknown, index) => [part, within(`[${index}]`)] as const)
      : [[value, within("")] as const];
    return parts.flatMap(([part, path]) =>
      isMap(part) ? newer(field.fields, part, { server, version, apiLevel }, path) : [],
    );
  });
}
