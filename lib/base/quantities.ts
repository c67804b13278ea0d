/**
 * Durations and sizes as users write them. NATS's JSON API has both as integers: nanoseconds and bytes.
 */

/** Largest first, the order in which {@link formatDuration} writes them. */
const DURATION_UNITS = [
  ["d", 86_400_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["m", 60_000_000_000n],
  ["s", 1_000_000_000n],
  ["ms", 1_000_000n],
  ["us", 1_000n],
  ["ns", 1n],
] as const;

const DURATION =
  /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?(?:(\d+)us)?(?:(\d+)ns)?$/;

/** Nanoseconds: the maximum of Go's `time.Duration` (int64), which nats-server uses; 292 years. */
const LONGEST_DURATION = 2n ** 63n - 1n;

/** Binary units before decimal ones, largest first: {@link formatBytes} uses the first that divides a size. */
const BYTE_UNITS = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
  ["TB", 1000 ** 4],
  ["GB", 1000 ** 3],
  ["MB", 1000 ** 2],
  ["KB", 1000],
  ["B", 1],
] as const;

/** The number that NATS uses for "no limit". */
export const UNLIMITED = -1;

/**
 * Parses a duration: whole numbers with units from `d` to `ns`, largest first, e.g. `2m`, `1h30m`, `100ms`, `7d`;
 * or `0`.
 *
 * @returns nanoseconds, exact.
 * @throws RangeError that shows the format, for other text, for more than 292 years, and for a duration that a double
 *   can't hold exactly, which occurs above 2^53 ns (104 days).
 */
export function parseDuration(text: string | number): number {
  const written = String(text).trim().replaceAll("µs", "us");
  if (written === "0") return 0;
  const counts = written === "" ? null : written.match(DURATION);
  if (!counts) {
    const hint = /^\d+$/.test(written)
      ? `${written}s, ${written}m or ${written}h`
      : "30s, 1h30m or 7d";
    throw new RangeError(`"${text}" is not a duration; write numbers with units, e.g. ${hint}`);
  }
  const nanos = DURATION_UNITS.reduce(
    (sum, [, unit], index) => sum + BigInt(counts[index + 1] ?? 0) * unit,
    0n,
  );
  if (nanos > LONGEST_DURATION || BigInt(Number(nanos)) !== nanos) {
    throw new RangeError(
      `"${text}" can't be kept to the nanosecond; use 0 for no limit, or whole days`,
    );
  }
  return Number(nanos);
}

/** Writes nanoseconds as {@link parseDuration} reads them, largest units first: 5400000000000 → `1h30m`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0";
  let left = BigInt(nanoseconds);
  return DURATION_UNITS.map(([name, unit]) => {
    const count = left / unit;
    left %= unit;
    return count === 0n ? "" : `${count}${name}`;
  }).join("");
}

/**
 * Parses a size: a whole number of bytes, or a number with a binary unit (`KiB` to `TiB`, powers of 1024)
 * or a decimal one (`KB` to `TB`, powers of 1000); -1 or `unlimited` for no limit.
 *
 * @returns bytes, or {@link UNLIMITED}.
 * @throws RangeError that shows the format.
 */
export function parseBytes(text: string | number): number {
  const written = String(text).trim();
  if (written === "-1" || written === "unlimited") return UNLIMITED;
  const [, count, unit = "B"] = written.match(/^(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?$/) ?? [];
  const factor = BYTE_UNITS.find(([name]) => name === unit)?.[1];
  const bytes = count === undefined || factor === undefined ? Number.NaN : Number(count) * factor;
  if (!Number.isSafeInteger(bytes)) {
    throw new RangeError(
      `"${text}" is not a size; write bytes, or a number with a unit, e.g. 512MiB or 10GB (-1: unlimited)`,
    );
  }
  return bytes;
}

/** Writes bytes as {@link parseBytes} reads them, in the largest unit that divides them: 1048576 → `1MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes === UNLIMITED) return "unlimited";
  if (bytes === 0) return "0";
  const [name, factor] = BYTE_UNITS.find(([, factor]) => bytes % factor === 0) ?? ["B", 1];
  return name === "B" ? `${bytes}` : `${bytes / factor}${name}`;
}

export function sumOf(quantities: readonly number[]): number {
  return quantities.reduce((sum, each) => sum + each, 0);
}
