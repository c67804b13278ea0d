import type { z } from "zod";
import type { Problem } from "./errors.ts";
import { TEXT } from "./schemas.ts";
import type { SettingsPlace } from "./settings-place.ts";
import { describeNoText, quoteValue } from "./wording.ts";

/** Words for what is expected, by zod's names of types. */
const KINDS: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a map of settings",
  record: "a map",
  // No setting allows fractions.
  number: "a whole number",
  int: "a whole number",
  boolean: "true or false",
};

/**
 * The message for an issue of zod's built-in checks, with the invalid value; undefined if zod's own message is to be
 * used. A schema's own `error` has precedence.
 */
export function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  const found = quoteValue(issue.input);
  switch (issue.code) {
    case "invalid_type":
      if (issue.expected === "string") return describeNoText(issue.input);
      return `${found} is not ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `${found} is not ${issue.values.join(" or ")}`;
    case "too_small":
      return describeBound(issue.input, "less", issue.minimum);
    case "too_big":
      return describeBound(issue.input, "more", issue.maximum);
    default:
      return undefined;
  }
}

function describeBound(input: unknown, relation: "less" | "more", bound: number | bigint): string {
  if (!Array.isArray(input)) return `${quoteValue(input)} is ${relation} than ${bound}`;
  return `has ${input.length} entries, ${relation} than ${bound}`;
}

/**
 * Converts an issue of zod to problems, whose paths are as users write settings. For a union these are the problems of
 * the first branch whose type matches the value's.
 */
export function toProblems(issue: z.core.$ZodIssue, place: SettingsPlace): Problem[] {
  const path = issue.path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : `${text ? `${text}.` : ""}${String(key)}`,
    "",
  );
  if (issue.code === "invalid_union") {
    const meant = issue.errors.find((issues) => !issues.some(isOfOtherKind));
    if (meant) {
      return meant.flatMap((each) =>
        toProblems({ ...each, path: [...issue.path, ...each.path] }, place),
      );
    }
  }
  if (issue.code === "invalid_key") {
    return issue.issues.flatMap((each) => toProblems({ ...each, path: issue.path }, place));
  }
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: path ? `${path}.${key}` : key,
      message: "there is no such setting",
      fix: `see ${documentOf(path)} ${place === "config" ? "" : "of nats-regions "}for those there are`,
    }));
  }
  return [{ path: path || "settings", message: wordsFor(issue, place) }];
}

/** The document with the settings among which an unknown one was found. */
function documentOf(path: string): string {
  if (/^(?:buckets|objectStores)\./.test(path)) return "docs/buckets.md";
  return path.startsWith("streams.") ? "docs/streams.md" : "docs/settings.md";
}

/** The message of an issue. Schemas word theirs for a stack's config; those about text are reworded for a program. */
function wordsFor(issue: z.core.$ZodIssue, place: SettingsPlace): string {
  const isWord = (input: unknown) => typeof input === "number" || typeof input === "boolean";
  if (place === "config" || !isWord(issue.input)) return issue.message;
  if (issue.code === "invalid_type" && issue.expected === "string") {
    return describeNoText(issue.input, "text", place);
  }
  const text: unknown = issue.code === "custom" ? issue.params?.[TEXT] : undefined;
  return typeof text === "string" ? describeNoText(issue.input, text, place) : issue.message;
}

/** Whether an issue of a union's branch says that the value as a whole is of another type. */
function isOfOtherKind({ code, path }: z.core.$ZodIssue): boolean {
  return code === "invalid_type" && path.length === 0;
}
