/** A version of nats-server. */
export type ServerVersion = readonly [major: number, minor: number, patch: number];

/** The version in an image's tag, e.g. `nats:2.15.2-alpine`; undefined if it has none. */
export function imageVersion(image: string): ServerVersion | undefined {
  const tag = image.match(/:([\w][\w.-]*)(@sha256:[0-9a-f]{64})?$/)?.[1];
  return tag === undefined ? undefined : parseVersion(tag);
}

/** The version that a text begins with, e.g. `2.15.2` or `v2.15.0-RC.1`; undefined if it begins with none. */
export function parseVersion(text: string): ServerVersion | undefined {
  const numbers = text.match(/^v?(\d+)\.(\d+)\.(\d+)/)?.slice(1, 4);
  const [major, minor, patch] = numbers?.map(Number) ?? [];
  return major === undefined || minor === undefined || patch === undefined
    ? undefined
    : [major, minor, patch];
}

/**
 * The oldest accepted version: the oldest that is tested, and that can be in a cluster with 2.15 (docs.nats.io,
 * upgrading to 2.15; nats-server's pull request 8554).
 */
export const OLDEST: ServerVersion = [2, 14, 7];
/** The newest release that is tested. */
const NEWEST: readonly [major: number, minor: number] = [2, 15];

/**
 * Says why a version isn't accepted, and what to do; undefined if it is. Versions before {@link OLDEST} aren't tested,
 * lack security fixes or lose data. Versions after {@link NEWEST} aren't tested.
 */
export function whyNotAccepted(version: ServerVersion): string | undefined {
  const name = `nats-server ${version.join(".")}`;
  const accepted = `${OLDEST.join(".")} or newer of 2.14, or ${NEWEST.join(".")}`;
  if (isOlder(version, OLDEST)) {
    return `${name} is too old: this works with ${accepted}; take a running cluster to nats:2.14.9 first, then on`;
  }
  const [major, minor] = version;
  if (major > NEWEST[0] || minor > NEWEST[1]) {
    return `${name} is too new: this works with ${accepted}; use one of these, or a newer nats-regions`;
  }
  return undefined;
}

/**
 * Says why servers of two versions can't be in one cluster, which happens during an upgrade from one to the other;
 * undefined if they can.
 */
export function whyNotTogether(one: ServerVersion, other: ServerVersion): string | undefined {
  const [older, newer] = [one, other].sort(compareVersions) as [ServerVersion, ServerVersion];
  const isMixed = compareVersions(newer, [2, 15, 0]) >= 0 && compareVersions(older, [2, 15, 0]) < 0;
  if (!isMixed || compareVersions(older, OLDEST) >= 0) return undefined;
  return `nats-server ${newer.join(".")} works beside ${OLDEST.join(".")} and later, not beside ${older.join(".")}`;
}

/** Whether a version is before another. */
export function isOlder(version: ServerVersion, other: ServerVersion): boolean {
  return compareVersions(version, other) < 0;
}

function compareVersions(a: ServerVersion, b: ServerVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
