import {
  countChoices,
  crossRegionChoices,
  crossRegionTag,
  MAX_RENDERED_COMBINATIONS,
  regionTag,
  zoneTag,
} from "./tags.ts";

/** The shape of a cluster. Names, ports and tags of its nodes follow from it. */
export interface Shape {
  /** Region names, e.g. `["rg1", "rg2", "rg3"]`. Their order decides ports and positions in `xr:` tags. */
  readonly regions: readonly string[];
  /** Availability zone names, the same in each region, e.g. `["az1", "az2", "az3"]`. */
  readonly zones: readonly string[];
  /** Servers in each availability zone of each region, usually 1. */
  readonly nodesPerZone: number;
}

/** A node's place in the shape, with what follows from it. */
export interface NodePlace {
  /** Server name and DNS name within the network, e.g. `rg1-az1`. It stays the same when the cluster grows. */
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  /** Offset from the first client port, and from the first monitoring port. */
  readonly portOffset: number;
  /** In this order: region, zone, cross-region combinations. */
  readonly serverTags: readonly string[];
}

/** Distance between the port offsets of the first, second, third … server of a zone. */
const PORTS_PER_NODE_INDEX = 100;

/** Maxima of regions, and of zones per region: 10 x 10 cells fill {@link PORTS_PER_NODE_INDEX}. */
export const MAX_REGIONS = 10;
export const MAX_ZONES = 10;

/**
 * Lists the nodes of a shape, region by region, zone by zone.
 *
 * @param requestedTags placement tags that streams ask for. Nodes get a cross-region tag among them even if there are
 *   more than {@link MAX_RENDERED_COMBINATIONS} combinations, or if the tag leaves regions out.
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
 * Numbers the cells of the region x zone grid so that a cell keeps its number when the grid grows: the
 * first 3 x 3 row by row (ports 4222 to 4230 if `clientPort` is 4222), then square shells around it.
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

/**
 * The choice that a cross-region tag means: `xr:2_1` → az2 in rg1, az1 in rg3. Undefined if it is none in this shape.
 */
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
