import type { CheckFailure } from "@pulumi/pulumi/dynamic/index.js";

/** How Pulumi writes a value that is not known yet (`unknownValue` in its runtime/rpc.ts). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value, or anything in it, is not known yet: as what a resource yields that is yet to be made. */
export function hasUnknown(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === UNKNOWN;
  return Object.values(value).some(hasUnknown);
}

/** Refusals as `check` answers them. They name no property: Pulumi would print its value. */
export function toFailures(reasons: readonly string[]): CheckFailure[] {
  return reasons.map((reason) => ({ property: "", reason }));
}
