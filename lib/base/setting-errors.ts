import type { z } from "zod";
import type { Problem } from "./errors.ts";
import { TEXT } from "./schemas.ts";
import type { SettingsPlace } from "./settings-place.ts";
import { describeNoText, quoteValue } from "./wording.ts";

/** What a setting should be, by zod's word for it. */
const KINDS: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a map of settings",
  record: "a map",
  // No setting takes fractions.
  number: "a whole number",
  int: "a whole number",
  boolean: "true or false",
};

/**
 * Words for what zod itself finds wrong, naming the value; undefined leaves it to zod's own. What a schema says
 * of itself goes first.
 */
export function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  const found = quoteValue(issue.input);
  switch (issue.code) {
    case "invalid_type":
      if (issue.expected === "string") return describeNoText(issue.input);
      return `${found} is not ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `${found} is not ${issue.values.join(" or ")}`;
    case "invalid_format":
      return issue.format === "ipv4"
        ? `${found} is not an IPv4 address, e.g. 127.0.0.1`
        : undefined;
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
 * Turns zod's issue into problems that name the setting as it is written; where there are alternatives, what is wrong
 * with the one of the value's kind.
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
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: path ? `${path}.${key}` : key,
      message: "there is no such setting",
      fix: `see ${documentOf(path)} ${place === "config" ? "" : "of nats-regions "}for those there are`,
    }));
  }
  return [{ path: path || "settings", message: wordsFor(issue, place) }];
}

/** Where the settings are told of that stand beside an unknown one. */
function documentOf(path: string): string {
  return path.startsWith("streams.") ? "docs/streams.md" : "docs/settings.md";
}

/** Schemas don't know where the settings stand that they check, and speak of a stack's. */
function wordsFor(issue: z.core.$ZodIssue, place: SettingsPlace): string {
  const isWord = (input: unknown) => typeof input === "number" || typeof input === "boolean";
  if (place === "config" || !isWord(issue.input)) return issue.message;
  if (issue.code === "invalid_type" && issue.expected === "string") {
    return describeNoText(issue.input, "text", place);
  }
  const text: unknown = issue.code === "custom" ? issue.params?.[TEXT] : undefined;
  return typeof text === "string" ? describeNoText(issue.input, text, place) : issue.message;
}

/** Whether a value is, as a whole, of another kind than one of its alternatives. */
function isOfOtherKind({ code, path }: z.core.$ZodIssue): boolean {
  return code === "invalid_type" && path.length === 0;
}
