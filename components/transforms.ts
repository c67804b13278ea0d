import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, mapNodes, type NodePlan } from "../lib/plan/plan.ts";

/**
 * Changes the args of a node's resource: fields that replace the planned ones (lists of environment variables, labels
 * and volumes are appended to), or a function that changes the args or returns others.
 */
export type Transform<Args> = Partial<Args> | ((args: Args, node: string) => Args | undefined);

/** Args may only have plain values: a change of them restarts nodes zone by zone, which a preview has to know. */
export interface Transforms {
  /**
   * The container of each node, e.g. `{ logOpts: { "max-size": "10m" } }`. Fields that come from settings can't be
   * changed: name, image, command, memory, network and ports. Environment variables, labels and volumes can be added.
   * Cost of a change: a restart, zone by zone.
   */
  readonly container?: Transform<docker.ContainerArgs>;
  /** The data volume of each node, except its name and labels. An existing volume doesn't change. */
  readonly volume?: Transform<docker.VolumeArgs>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields whose values come from settings. */
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
/** Lists that can only be appended to. */
const EXTENDED: ReadonlySet<string> = new Set(["envs", "labels", "volumes"]);

/**
 * The fields of args that a transform changes.
 *
 * @param args plain values.
 * @returns the changed fields; of lists that can only be appended to, the added items.
 * @throws pulumi.RunError if it changes a field that comes from settings, or if a value isn't known yet.
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
      `${path}: ${name} has a value that isn't known yet, so a preview couldn't say whether nodes are restarted for it; use a plain value.`,
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

/** Replaces fields of args by changed ones; lists are appended to. */
export function withFields<Args extends object>(args: Args, fields: object): Args {
  const before = new Map<string, unknown>(Object.entries(args));
  const changed = Object.entries(fields).map(([name, value]) => {
    const kept = before.get(name);
    const isAdded = EXTENDED.has(name) && Array.isArray(kept) && Array.isArray(value);
    return [name, isAdded ? [...kept, ...value] : value] as const;
  });
  return { ...args, ...Object.fromEntries(changed) };
}

/**
 * The plan with transformed containers in the nodes' restart settings, so that nodes restart when a transform changes.
 */
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
