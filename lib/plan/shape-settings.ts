import type { Problem } from "../base/errors.ts";
import { ownValue } from "../base/records.ts";
import { listNames } from "../base/schemas.ts";
import type { SettingsByName } from "../settings/setting-values.ts";
import { SETTINGS } from "../settings/settings-table.ts";
import { unknownScopes } from "../topology/scopes.ts";
import { type Shape, withoutWitnesses, zonePath } from "../topology/shape.ts";
import { regionTag, zoneTag } from "../topology/tags.ts";

/** The settings that a cluster's shape follows from. */
export type ShapeSettings = Pick<
  SettingsByName,
  "regions" | "availabilityZones" | "nodesPerZone" | "witnesses"
>;

/** The regions of a map of regions are in the order of their names: Pulumi (3.259) sorts the keys of maps. */
export function shapeOf(settings: ShapeSettings): Shape {
  const { nodesPerZone, witnesses } = settings;
  return regionNames(settings).map((name) => ({
    name,
    zones: zonesOf(name, settings).names.map((zone) => ({
      name: zone,
      nodes: typeof nodesPerZone === "number" ? nodesPerZone : (ownValue(nodesPerZone, name) ?? 1),
      ...(witnesses.includes(name) || witnesses.includes(zonePath(name, zone))
        ? { witness: true as const }
        : {}),
    })),
  }));
}

/** Reports names that are missing, unknown or there twice. Without problems, {@link shapeOf} is right. */
export function shapeProblems(settings: ShapeSettings): Problem[] {
  const { regions, availabilityZones: zones, nodesPerZone } = settings;
  const names = regionNames(settings);
  const lists = new Map(names.map((region) => zonesOf(region, settings)).map((z) => [z.path, z]));
  return [
    ...duplicates(
      names.map((name, index) => ({
        name,
        path: isList(regions) ? `regions[${index}]` : `regions.${name}`,
      })),
      regionTag,
    ),
    ...[...lists.values()].flatMap(({ path, names }) =>
      duplicates(
        names.map((name, index) => ({ name, path: `${path}[${index}]` })),
        zoneTag,
      ),
    ),
    ...(isList(regions) ? zoneListProblems(regions, zones) : idleZones(zones)),
    ...(typeof nodesPerZone === "number"
      ? []
      : unknownRegions("nodesPerZone", Object.keys(nodesPerZone), names)),
    ...witnessProblems(settings),
  ];
}

function witnessProblems(settings: ShapeSettings): Problem[] {
  const shape = shapeOf(settings);
  const entries = settings.witnesses.map((name, index) => ({ name, path: `witnesses[${index}]` }));
  const unknown = unknownScopes(entries, shape, "region or zone");
  if (unknown.length > 0 || withoutWitnesses(shape).length > 0) return unknown;
  const message = "are all nodes, so that none is left for streams";
  return [{ path: "witnesses", message, fix: "take some out" }];
}

/** A notice if a majority of the meta group is witnesses; one sentence. */
export function witnessNotices(nodes: readonly { readonly witness?: true }[]): string[] {
  const witnesses = nodes.filter(({ witness }) => witness).length;
  if (witnesses <= nodes.length - witnesses) return [];
  return [
    `${witnesses} of ${nodes.length} nodes are witnesses: without enough of these no stream can be created, changed or moved, even if all nodes with streams are up`,
  ];
}

function regionNames({ regions }: ShapeSettings): readonly string[] {
  return isList(regions) ? regions : Object.keys(regions).sort();
}

/** The names of a region's zones, and the path of the list that has them. */
function zonesOf(region: string, { regions, availabilityZones }: ShapeSettings) {
  if (!isList(regions))
    return { path: `regions.${region}`, names: ownValue(regions, region) ?? [] };
  if (isList(availabilityZones)) return { path: "availabilityZones", names: availabilityZones };
  const path = `availabilityZones.${region}`;
  return { path, names: ownValue(availabilityZones, region) ?? [] };
}

function isList<Entry>(
  value: readonly Entry[] | Readonly<Record<string, unknown>>,
): value is readonly Entry[] {
  return Array.isArray(value);
}

function zoneListProblems(
  regions: readonly string[],
  zones: ShapeSettings["availabilityZones"],
): Problem[] {
  if (isList(zones)) return [];
  return [
    ...unknownRegions("availabilityZones", Object.keys(zones), regions),
    ...regions
      .filter((region) => ownValue(zones, region) === undefined)
      .map((region) => ({
        path: "availabilityZones",
        message: `has no zones of region "${region}"`,
        fix: `name them, e.g. ${region}: [${SETTINGS.availabilityZones.default.join(", ")}]`,
      })),
  ];
}

/** Reports zones that count nowhere. Pulumi.yaml has the default for every stack, so that one means nothing. */
function idleZones(zones: ShapeSettings["availabilityZones"]): Problem[] {
  if (JSON.stringify(zones) === JSON.stringify(SETTINGS.availabilityZones.default)) return [];
  return [
    {
      path: "availabilityZones",
      message: "counts nowhere, as regions has the zones of each region",
      fix: "remove it, or make regions a list of names",
    },
  ];
}

function unknownRegions(
  path: string,
  given: readonly string[],
  regions: readonly string[],
): Problem[] {
  return given
    .filter((name) => !regions.includes(name))
    .map((name) => ({
      path: `${path}.${name}`,
      message: `there is no region "${name}"`,
      fix: `use ${listNames(regions)}`,
    }));
}

/** Reports names that would get the same tag. */
function duplicates(
  names: readonly { readonly name: string; readonly path: string }[],
  tagOf: (name: string) => string,
): Problem[] {
  const firstWith = new Map<string, string>();
  return names.flatMap(({ name, path }) => {
    const tag = tagOf(name);
    const other = firstWith.get(tag);
    firstWith.set(tag, other ?? name);
    if (other === undefined) return [];
    const message =
      other === name
        ? `"${name}" is listed twice`
        : `"${name}" and "${other}" both have the tag ${tag}`;
    return [{ path, message, fix: "rename or remove one" }];
  });
}
