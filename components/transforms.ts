import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, mapNodes, type NodePlan } from "../lib/plan/plan.ts";

/**
 * Changes what a resource of a node is made from: fields that take the place of what is there, where lists of environment
 * variables, labels and volumes are added to; or a function that changes them or returns others.
 */
export type Transform<Args> = Partial<Args> | ((args: Args, node: string) => Args | undefined);

/** Of plain values, as a change restarts nodes one zone after the other, which has to be foreseen. */
export interface Transforms {
  /**
   * The container of each node, e.g. `{ logOpts: { "max-size": "10m" } }`. What settings are for stays as they have it:
   * name, image, command, memory, network and ports; environment variables, labels and volumes can be added to. A change costs: restart, zone by
   * zone.
   */
  readonly container?: Transform<docker.ContainerArgs>;
  /** The data volume of each node. Its name and labels stay. A volume that is there already keeps what it was made with. */
  readonly volume?: Transform<docker.VolumeArgs>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Whose values come from settings. */
const FIXED: ReadonlySet<string> = new Set([
  "name",
  "image",
  "hostname",
  "command",
  "memory",
  "memorySwap",
  "networkMode",
  "networksAdvanced",
  "ports",
]);
/** Lists that keep what is in them. */
const EXTENDED: ReadonlySet<string> = new Set(["envs", "labels", "volumes"]);

/**
 * What a transform makes of args.
 *
 * @param args plain values.
 * @returns the fields that differ; of lists that can only be added to, what was added.
 * @throws pulumi.RunError where it changes what settings are for, or has values that aren't known yet.
 */
export function changedFields<Args extends object>(
  kind: keyof Transforms,
  transform: Transform<Args> | undefined,
  args: Args,
  node: string,
): Fields {
  if (transform === undefined) return {};
  const changed = apply(transform, structuredClone(args), node);
  const before = new Map<string, unknown>(Object.entries(args));
  const all: [string, unknown][] = Object.entries(changed);
  const fields = all.filter(([name, value]) => !isDeepStrictEqual(value, before.get(name)));
  return Object.fromEntries(
    fields.map(([name, value]) => {
      return [name, check(`transform.${kind}`, name, before.get(name), value)];
    }),
  );
}

function apply<Args extends object>(transform: Transform<Args>, args: Args, node: string): Args {
  if (typeof transform !== "function") return withFields(args, transform);
  return transform(args, node) ?? args;
}

function check(path: string, name: string, before: unknown, value: unknown): unknown {
  if (hasOutput(value)) {
    throw new pulumi.RunError(
      `${path}: ${name} has a value that is yet to be known, so that it can't be told whether nodes are restarted for it; use a plain one.`,
    );
  }
  if (FIXED.has(name)) {
    throw new pulumi.RunError(
      `${path}: ${name} can't be changed, as the cluster goes by it; there are settings for names, images, memory and ports.`,
    );
  }
  if (!EXTENDED.has(name)) return value;
  const kept: readonly unknown[] = Array.isArray(before) ? before : [];
  const given: readonly unknown[] = Array.isArray(value) ? value : [];
  const isIn = (item: unknown, items: readonly unknown[]) =>
    items.some((each) => isDeepStrictEqual(each, item));
  if (!kept.every((item) => isIn(item, given))) {
    throw new pulumi.RunError(
      `${path}: ${name} can only be added to, as the cluster goes by what is in it; keep what a function is given, e.g. args.${name}.push(…).`,
    );
  }
  return given.filter((item) => !isIn(item, kept));
}

function hasOutput(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return true;
  return Object.values(value).some(hasOutput);
}

/** Puts changed fields in the place of those of args, and what was added behind what is in a list. */
export function withFields<Args extends object>(args: Args, fields: object): Args {
  const before = new Map<string, unknown>(Object.entries(args));
  const changed = Object.entries(fields).map(([name, value]) => {
    const kept = before.get(name);
    const isAdded = EXTENDED.has(name) && Array.isArray(kept) && Array.isArray(value);
    return [name, isAdded ? [...kept, ...value] : value] as const;
  });
  return { ...args, ...Object.fromEntries(changed) };
}

/** The same plan, whose nodes are restarted where a transform makes something else of their containers. */
export function planTransformed(
  plan: ClusterPlan,
  fieldsOf: (node: NodePlan) => Fields,
): ClusterPlan {
  return mapNodes(plan, (node) => {
    const fields = Object.entries(fieldsOf(node)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (fields.length === 0) return node;
    const names = fields.map(([name]) => name).join(", ");
    const digest = createHash("sha256").update(JSON.stringify(fields)).digest("hex");
    const transform = `${names} (${digest.slice(0, 8)})`;
    return { ...node, restartSettings: { ...node.restartSettings, transform } };
  });
}
