/** What rules for objects of NATS's JSON API share: refusals, names, texts, durations. */
import type { Problem } from "./errors.ts";
import { formatDuration } from "./quantities.ts";

/** Nanoseconds. */
export const MILLISECOND = 1_000_000;
export const SECOND = 1000 * MILLISECOND;

/** The most characters of a name (`JSMaxNameLen` in nats-server 2.15). */
const MAX_NAME = 255;
const MAX_DESCRIPTION = 4 * 1024;
const MAX_METADATA = 128 * 1024;

export const NAME_RULE = "leave out blanks and . * > / \\";

/** `isValidAssetName` in nats-server's server/jetstream.go. */
export function isAssetName(name: string): boolean {
  return /^[^ \t\r\n\f.*>/\\]+$/.test(name);
}

/** Reports a name that is none for its kind of object, e.g. `stream`, or too long. */
export function checkAssetName(kind: string, name: string): Problem[] {
  return [
    ...refuse(!isAssetName(name), "name", `"${name}" can't name a ${kind}`, NAME_RULE),
    ...refuse(name.length > MAX_NAME, "name", `is longer than ${MAX_NAME} characters`),
  ];
}

/** Reports a description or labels that are too long, and labels that are the server's own. */
export function checkTexts({
  description = "",
  metadata = {},
}: {
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}): Problem[] {
  const size = Object.entries(metadata).reduce((sum, pair) => sum + bytesOf(pair.join("")), 0);
  return [
    ...refuse(bytesOf(description) > MAX_DESCRIPTION, "description", "is longer than 4 KiB"),
    ...refuse(size > MAX_METADATA, "metadata", "is larger than 128 KiB"),
    ...Object.keys(metadata)
      .filter((key) => key.startsWith("_nats."))
      .map((key) => ({
        path: "metadata",
        message: `"${key}" is the server's own`,
        fix: "leave out names that begin with _nats.",
      })),
  ];
}

/** The problem if the condition holds, else none. */
export function refuse(condition: boolean, path: string, message: string, fix?: string): Problem[] {
  if (!condition) return [];
  return [{ path, message, ...(fix === undefined ? {} : { fix }) }];
}

/** Reports a setting that excludes another one which is given. */
export function exclude(condition: boolean | undefined, path: string, rival: string): Problem[] {
  return refuse(condition === true, path, `excludes ${rival}`, "remove one of them");
}

/** Whether a duration is given, and less than the least that there is. */
export function tooShort(nanoseconds: number, least: number): boolean {
  return nanoseconds !== 0 && nanoseconds < least;
}

/** Writes a duration for users, also one that is negative. */
export function show(nanoseconds: number): string {
  return nanoseconds < 0 ? `${nanoseconds}ns` : formatDuration(nanoseconds);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
