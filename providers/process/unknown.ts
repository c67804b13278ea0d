import type { CheckFailure } from "@pulumi/pulumi/dynamic/index.js";

/** How Pulumi encodes an unknown value (`unknownValue` in its runtime/rpc.ts). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value, or anything in it, is unknown, e.g. an output of a resource that doesn't exist yet. */
export function hasUnknown(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === UNKNOWN;
  return Object.values(value).some(hasUnknown);
}

/** Refusals as results of `check`. They name no property, because Pulumi would print its value. */
export function toFailures(reasons: readonly string[]): CheckFailure[] {
  return reasons.map((reason) => ({ property: "", reason }));
}
