import { formatBytes } from "./quantities.ts";
import { pulumiCommand, type SettingsPlace } from "./settings-place.ts";

/** A count with its noun: `1 node`, `9 nodes`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Writes a count with separators: `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Writes bytes, rounded, in the largest fitting binary unit: `1.2 MiB`. */
export function formatSize(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** At most five digits before the unit, e.g. `1536MiB`. */
const SHORT_SIZE = /^\d{1,5}[A-Z]/;

/** Writes bytes exactly, as settings have them, if that is short (`900MiB`); rounded otherwise (`1.2 GiB`). */
export function describeBytes(bytes: number): string {
  const exact = formatBytes(bytes);
  return SHORT_SIZE.test(exact) ? exact : formatSize(bytes);
}

const NAMES_SHOWN = 12;

/** Lists at most {@link NAMES_SHOWN} names: `a, b and 7 more`. */
export function listSome(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  const more = names.length - NAMES_SHOWN;
  return more > 0 ? `${shown} and ${formatCount(more)} more` : shown;
}

const LONGEST_QUOTE = 80;

/** A value as JSON, for an error message; truncated after {@link LONGEST_QUOTE} characters. */
export function quoteValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/**
 * The error message for a value that is not text. For numbers and booleans it says how to write them as text: YAML and
 * the CLI read `1` as a number and `true` as a boolean.
 */
export function describeNoText(
  value: unknown,
  description = "text",
  place: SettingsPlace = "config",
): string {
  const fault = `${quoteValue(value)} is not ${description}`;
  if (typeof value !== "number" && typeof value !== "boolean") return fault;
  return place === "program"
    ? `${fault}; put it in quotes`
    : `${fault}; put it in quotes in the settings file, or set it by ${pulumiCommand(place)} config set --type string`;
}
