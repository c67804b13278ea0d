import {
  countChoices,
  crossRegionChoices,
  crossRegionTag,
  MAX_RENDERED_COMBINATIONS,
  regionTag,
  zoneTag,
} from "./tags.ts";

/** The shape of a cluster: everything about its nodes follows from this. */
export interface Shape {
  /** Region names in order, e.g. `["rg1", "rg2", "rg3"]`. The order gives ports and `xr:` positions. */
  readonly regions: readonly string[];
  /** Availability zone names, the same in each region, e.g. `["az1", "az2", "az3"]`. */
  readonly zones: readonly string[];
  /** Servers in each availability zone of each region, usually 1. */
  readonly nodesPerZone: number;
}

/** Where a node stands, with what follows from its place alone. */
export interface NodePlace {
  /** Server name and DNS name within the network, e.g. `rg1-az1`; never changes as the cluster grows. */
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  /** Added to the first client port and to the first monitoring port. */
  readonly portOffset: number;
  /** In the order of the seed: region, zone, cross-region combinations. */
  readonly serverTags: readonly string[];
}

/** Ports of one cluster lie this far apart for the second, third … server of a zone. */
const PORTS_PER_NODE_INDEX = 100;

/** Regions and zones per region at most: 10 x 10 cells fill {@link PORTS_PER_NODE_INDEX}. */
export const MAX_REGIONS = 10;
export const MAX_ZONES = 10;

/**
 * Lists the nodes of a shape, region by region, zone by zone.
 *
 * @param requestedTags placement tags that streams ask for: a cross-region combination among them is
 *   rendered even where the full set is too large, or where it leaves regions out.
 */
export function placeNodes(shape: Shape, requestedTags: readonly string[] = []): NodePlace[] {
  const crossRegion = crossRegionTags(shape, requestedTags);
  return shape.regions.flatMap((region, regionIndex) =>
    shape.zones.flatMap((zone, zoneIndex) =>
      Array.from({ length: shape.nodesPerZone }, (_, nodeIndex) => ({
        name: nodeName(region, zone, nodeIndex),
        region,
        zone,
        portOffset: cellIndex(regionIndex, zoneIndex) + nodeIndex * PORTS_PER_NODE_INDEX,
        serverTags: [
          regionTag(region),
          zoneTag(zone),
          ...crossRegion.filter(({ choice }) => choice[regionIndex] === zone).map(({ tag }) => tag),
        ],
      })),
    ),
  );
}

function nodeName(region: string, zone: string, nodeIndex: number): string {
  return nodeIndex === 0 ? `${region}-${zone}` : `${region}-${zone}-${nodeIndex + 1}`;
}

/**
 * Numbers the cells of the region x zone grid so that a grown grid keeps the numbers that it had: the
 * first 3 x 3 row by row (the seed's ports 4222 to 4230), then square shells around it.
 */
function cellIndex(regionIndex: number, zoneIndex: number): number {
  const shell = Math.max(regionIndex, zoneIndex);
  if (shell < 3) return regionIndex * 3 + zoneIndex;
  return shell ** 2 + (regionIndex === shell ? zoneIndex : shell + 1 + regionIndex);
}

interface CrossRegionTag {
  readonly tag: string;
  readonly choice: readonly (string | undefined)[];
}

function crossRegionTags(shape: Shape, requestedTags: readonly string[]): CrossRegionTag[] {
  const { regions, zones } = shape;
  const complete =
    countChoices(regions.length, zones.length) <= MAX_RENDERED_COMBINATIONS
      ? crossRegionChoices(regions.length, zones)
      : [];
  const tags = new Map(complete.map((choice) => [crossRegionTag(choice), choice as ZoneOrNone[]]));
  for (const tag of requestedTags) {
    const choice = parseCrossRegionTag(tag, shape);
    if (choice) tags.set(tag, choice);
  }
  return [...tags].map(([tag, choice]) => ({ tag, choice })).sort(byTag);
}

type ZoneOrNone = string | undefined;

const byTag = (a: CrossRegionTag, b: CrossRegionTag) => (a.tag < b.tag ? -1 : 1);

/** The choice that a tag stands for in this shape, if it stands for one: `xr:2_1` → az2 in rg1, az1 in rg3. */
function parseCrossRegionTag(tag: string, { regions, zones }: Shape): ZoneOrNone[] | undefined {
  const body = tag.toLowerCase().match(/^xr:(.+)$/)?.[1];
  if (body === undefined) return undefined;
  const values = body.includes(".") ? body.split(".") : [...body];
  const zoneOf = new Map(zones.map((zone) => [zoneTag(zone).slice("az:".length), zone]));
  const known = values.every((value) => value === "_" || zoneOf.has(value));
  const choice = values.map((value) => zoneOf.get(value));
  const canonical = known && values.length <= regions.length && crossRegionTag(choice) === tag;
  return canonical ? choice : undefined;
}
