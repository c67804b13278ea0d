import { z } from "zod";
import type { ConfigBlock, ConfigValue } from "../base/conf-format.ts";
import { isMap } from "../base/records.ts";

/** Numbers that nats-server writes as JavaScript does when it computes a config's digest. */
const isNumber = (value: number) =>
  value === 0 || (Math.abs(value) >= 1e-6 && Math.abs(value) <= Number.MAX_SAFE_INTEGER);

/** Why a value can't be in a config of nats-server, by its path below `above`; undefined if it can. */
function whyNot(value: unknown, above: readonly PropertyKey[]): Fault | undefined {
  if (typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    return isNumber(value) ? undefined : { path: above, message: "is no number for a config" };
  }
  if (Array.isArray(value)) return firstFault(value.entries(), above);
  if (!isMap(value) || !isPlain(value)) {
    return { path: above, message: "is neither text, number, true, false, a list nor a map" };
  }
  const unwritable = Object.keys(value).find((key) => !/^[^\p{C}"\\]+$/u.test(key));
  if (unwritable !== undefined) return { path: above, message: "has a key that can't be written" };
  return firstFault(Object.entries(value), above);
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function firstFault(
  members: Iterable<readonly [PropertyKey, unknown]>,
  above: readonly PropertyKey[],
): Fault | undefined {
  for (const [key, member] of members) {
    const fault = whyNot(member, [...above, key]);
    if (fault) return fault;
  }
  return undefined;
}

/** Not e.g. an output of a program, which isn't known yet, and may be a secret. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A map of options of nats-server. Values are those of its config format. No message has a value. */
export const serverConfigSchema: z.ZodType<ConfigBlock> = z
  .record(z.string(), z.custom<ConfigValue>(), { error: "is not a map of nats-server's options" })
  .superRefine((config, context) => {
    const fault = whyNot(config, []);
    if (fault) context.addIssue({ code: "custom", message: fault.message, path: [...fault.path] });
  });
