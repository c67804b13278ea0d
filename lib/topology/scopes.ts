import type { Problem } from "../base/errors.ts";
import { listSome } from "../base/wording.ts";
import { nodeName, type Shape, zonePath } from "./shape.ts";

/** What a setting for some of the nodes may name: a region, a zone (`rg1-az2`), or a node (`rg1-az2-2`). */
export interface NodeName {
  readonly name: string;
  readonly region: string;
  readonly zone: string;
}

/** The names that mean a node, the widest first. The first node of a zone has the zone's name, which means the zone. */
export function scopesOf({ name, region, zone }: NodeName): readonly string[] {
  return [...new Set([region, zonePath(region, zone), name])];
}

/** A name in a setting. */
export interface ScopeEntry {
  readonly name: string;
  /** Path of the setting that has it. */
  readonly path: string;
}

/**
 * Reports names of no place, and names that are both those of a region and of a node.
 *
 * @param kinds what the setting takes, e.g. `region, zone or node`.
 */
export function unknownScopes(
  entries: readonly ScopeEntry[],
  shape: Shape,
  kinds: "region or zone" | "region, zone or node",
): Problem[] {
  const regions = new Set(shape.map(({ name }) => name));
  const zones = shape.flatMap((region) =>
    region.zones.map((zone) => ({ ...zone, region: region.name })),
  );
  const paths = new Set(zones.map(({ region, name }) => zonePath(region, name)));
  const nodes = new Set(
    zones.flatMap(({ region, name, nodes }) =>
      Array.from({ length: nodes }, (_, index) => nodeName(region, name, index)),
    ),
  );
  const isPlace = (name: string) => (kinds === "region or zone" ? paths : nodes).has(name);
  return entries.flatMap(({ name, path }) => {
    if (regions.has(name) && nodes.has(name)) {
      return [{ path, message: `"${name}" is both a region and a node`, fix: "rename one" }];
    }
    if (regions.has(name) || isPlace(name)) return [];
    const known = listSome([...regions, ...paths]);
    return [{ path, message: `there is no ${kinds} "${name}"`, fix: `use ${known}` }];
  });
}
