import { formatBytes } from "./quantities.ts";
import { pulumiCommand, type SettingsPlace } from "./settings-place.ts";

/** `1 node`, `9 nodes`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Rounds bytes to what people read: `1.2 MiB`. */
export function formatSize(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** E.g. `1536MiB`. */
const SHORT_SIZE = /^\d{1,5}[A-Z]/;

/** Bytes as they are set where that is short (`900MiB`), else rounded (`1.2 GiB`). */
export function describeBytes(bytes: number): string {
  const exact = formatBytes(bytes);
  return SHORT_SIZE.test(exact) ? exact : formatSize(bytes);
}

const NAMES_SHOWN = 12;

/** Names some of many: `a, b and 7 more`. */
export function listSome(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  const more = names.length - NAMES_SHOWN;
  return more > 0 ? `${shown} and ${formatCount(more)} more` : shown;
}

const LONGEST_QUOTE = 80;

/** A value as JSON writes it, for an error; the start of it where it is long. */
export function quoteValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}

/** Says that a value is not text, and how it becomes it: to YAML and the CLI `1` is a number, `true` a truth value. */
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
