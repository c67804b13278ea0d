import type { Problem } from "./errors.ts";
import type { StreamConfig } from "./stream-config.ts";
import { normalizeConfig } from "./stream-diff.ts";
import {
  FIELDS_BY_API_NAME,
  type Field,
  type NestedField,
  type NestedTable,
} from "./stream-fields.ts";
import type { StreamPolicy } from "./stream-policy.ts";

/** Major, minor and patch of a nats-server. */
export type ServerVersion = readonly [major: number, minor: number, patch: number];

/** The version that an image's tag names, e.g. `nats:2.15.2-alpine`; undefined where it names none. */
export function imageVersion(image: string): ServerVersion | undefined {
  const tag = image.match(/:([\w][\w.-]*)(@sha256:[0-9a-f]{64})?$/)?.[1];
  const numbers = tag?.match(/^v?(\d+)\.(\d+)\.(\d+)/)?.slice(1, 4);
  const [major, minor, patch] = numbers?.map(Number) ?? [];
  return major === undefined || minor === undefined || patch === undefined
    ? undefined
    : [major, minor, patch];
}

/** The oldest that 2.15 works beside (docs.nats.io, upgrading to 2.15; nats-server's pull request 8554). */
const OLDEST_BESIDE_2_15: ServerVersion = [2, 14, 7];

/**
 * Says why servers of two versions can't be in one cluster, as they are while it is changed from one to the
 * other; undefined where they can.
 */
export function whyNotTogether(one: ServerVersion, other: ServerVersion): string | undefined {
  const [older, newer] = [one, other].sort(compareVersions) as [ServerVersion, ServerVersion];
  const isMixed = compareVersions(newer, [2, 15, 0]) >= 0 && compareVersions(older, [2, 15, 0]) < 0;
  if (!isMixed || compareVersions(older, OLDEST_BESIDE_2_15) >= 0) return undefined;
  return `nats-server ${newer.join(".")} works beside ${OLDEST_BESIDE_2_15.join(".")} and later, not beside ${older.join(".")}`;
}

/** Whether a version came before another. */
export function isOlder(version: ServerVersion, other: ServerVersion): boolean {
  return compareVersions(version, other) < 0;
}

function compareVersions(a: ServerVersion, b: ServerVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** The first release of each JetStream API level (nats-server's server/jetstream_versioning.go). */
const RELEASES: ReadonlyMap<number, string> = new Map([
  [1, "2.11"],
  [2, "2.12"],
  [4, "2.14"],
]);

/**
 * Reports what of a stream's settings the servers are too old for, their paths below the stream's: a server
 * answers a field that it doesn't know with error 10025, or ignores it (before 2.12).
 */
export function tooNewFor(
  [major, minor]: ServerVersion,
  config: StreamConfig,
  { recreate, leaders }: StreamPolicy,
): Problem[] {
  const level = major > 2 ? Number.POSITIVE_INFINITY : minor - 10;
  const needs = [
    ...fieldsInUse(config),
    ...(recreate ? [{ path: "recreate", since: 2 }] : []),
    ...(leaders ? [{ path: "leader", since: 1 }] : []),
  ];
  return needs
    .filter(({ since }) => since > level)
    .map(({ path, since }) => ({
      path,
      message: `needs nats-server ${RELEASES.get(since)}, and the servers are ${major}.${minor}`,
      fix: "set image to a newer one",
    }));
}

interface Need {
  readonly path: string;
  readonly since: number;
}

function fieldsInUse(config: StreamConfig): Need[] {
  const values = normalizeConfig(config);
  return [...FIELDS_BY_API_NAME].flatMap(([api, { setting, field }]) =>
    needsOf(setting, field, values[api]),
  );
}

function needsOf(path: string, field: Field | NestedField, value: unknown): Need[] {
  if (value === undefined) return [];
  const own = field.since === undefined ? [] : [{ path, since: field.since }];
  if (field.kind === "object") return [...own, ...nestedNeeds(path, field.fields, value)];
  if (field.kind !== "objects") return own;
  return [
    ...own,
    ...(value as object[]).flatMap((item, index) =>
      nestedNeeds(`${path}[${index}]`, field.fields, item),
    ),
  ];
}

function nestedNeeds(path: string, table: NestedTable, value: unknown): Need[] {
  const values = new Map<string, unknown>(Object.entries(value as object));
  return Object.entries(table).flatMap(([name, field]) =>
    needsOf(`${path}.${name}`, field, values.get(field.api)),
  );
}
