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

/**
 * Reports names of no place, and names that are both those of a region and of a zone.
 *
 * @param setting the path of the setting, in which `names` are keys.
 */
export function unknownScopes(setting: string, names: readonly string[], shape: Shape): Problem[] {
  const regions = new Set(shape.map(({ name }) => name));
  const zones = shape.flatMap(({ name, zones }) =>
    zones.map((zone) => ({ ...zone, region: name, path: zonePath(name, zone.name) })),
  );
  const paths = new Set(zones.map(({ path }) => path));
  const nodes = new Set(
    zones.flatMap(({ region, name, nodes }) =>
      Array.from({ length: nodes }, (_, index) => nodeName(region, name, index)),
    ),
  );
  return names.flatMap((name) => {
    const path = `${setting}.${name}`;
    if (regions.has(name) && nodes.has(name)) {
      return [{ path, message: `"${name}" is both a region and a node`, fix: "rename one" }];
    }
    if (regions.has(name) || nodes.has(name)) return [];
    const known = listSome([...regions, ...paths]);
    return [{ path, message: `there is no region, zone or node "${name}"`, fix: `use ${known}` }];
  });
}
