import { crossRegionChoices, crossRegionTag, regionTag, type ZoneChoice, zoneTag } from "./tags.ts";

/** The shape of a cluster: its regions, in order. Names, ports and tags of its nodes follow from it. */
export type Shape = readonly RegionShape[];

export interface RegionShape {
  /** E.g. `rg1`. The region's place in the shape decides ports, and positions in `xr:` tags. */
  readonly name: string;
  /** Its availability zones, at least one. A zone's place decides ports. */
  readonly zones: readonly ZoneShape[];
}

export interface ZoneShape {
  /** E.g. `az1`. Zones of several regions may have the same name. */
  readonly name: string;
  /** Number of servers, usually 1. */
  readonly nodes: number;
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

/** A shape whose regions are alike. */
export function uniformShape(
  regions: readonly string[],
  zones: readonly string[],
  nodesPerZone = 1,
): Shape {
  return regions.map((name) => ({
    name,
    zones: zones.map((zone) => ({ name: zone, nodes: nodesPerZone })),
  }));
}

/**
 * Lists the nodes of a shape, region by region, zone by zone.
 *
 * @param requestedTags placement tags that streams ask for. Nodes get a cross-region tag among them even if there are
 *   too many combinations to render all, or if the tag leaves regions out.
 */
export function placeNodes(shape: Shape, requestedTags: readonly string[] = []): NodePlace[] {
  const crossRegion = crossRegionTags(shape, requestedTags);
  return shape.flatMap((region, regionIndex) =>
    region.zones.flatMap((zone, zoneIndex) =>
      Array.from({ length: zone.nodes }, (_, nodeIndex) => ({
        name: nodeName(region.name, zone.name, nodeIndex),
        region: region.name,
        zone: zone.name,
        portOffset: cellIndex(regionIndex, zoneIndex) + nodeIndex * PORTS_PER_NODE_INDEX,
        serverTags: [
          regionTag(region.name),
          zoneTag(zone.name),
          ...crossRegion
            .filter(({ choice }) => choice[regionIndex] === zone.name)
            .map(({ tag }) => tag),
        ],
      })),
    ),
  );
}

/** The name of a zone of a region, which is also that of its first node: `rg1-az1`. */
export function zonePath(region: string, zone: string): string {
  return `${region}-${zone}`;
}

function nodeName(region: string, zone: string, nodeIndex: number): string {
  const first = zonePath(region, zone);
  return nodeIndex === 0 ? first : `${first}-${nodeIndex + 1}`;
}

/**
 * Numbers the cells of the grid of regions and zones so that a cell keeps its number when the grid grows, evenly or
 * not: the first 3 x 3 row by row (ports 4222 to 4230 if `clientPort` is 4222), then square shells around it. Cells
 * that a shape doesn't have leave gaps.
 */
function cellIndex(regionIndex: number, zoneIndex: number): number {
  const shell = Math.max(regionIndex, zoneIndex);
  if (shell < 3) return regionIndex * 3 + zoneIndex;
  return shell ** 2 + (regionIndex === shell ? zoneIndex : shell + 1 + regionIndex);
}

interface CrossRegionTag {
  readonly tag: string;
  readonly choice: ZoneChoice;
}

function crossRegionTags(shape: Shape, requestedTags: readonly string[]): CrossRegionTag[] {
  const complete = crossRegionChoices(shape.map(({ zones }) => zones.map(({ name }) => name)));
  const tags = new Map(complete.map((choice) => [crossRegionTag(choice), choice]));
  for (const tag of requestedTags) {
    const choice = parseCrossRegionTag(tag, shape);
    if (choice) tags.set(tag, choice);
  }
  return [...tags].map(([tag, choice]) => ({ tag, choice })).sort(byTag);
}

const byTag = (a: CrossRegionTag, b: CrossRegionTag) => (a.tag < b.tag ? -1 : 1);

/**
 * The choice that a cross-region tag means: `xr:2_1` → az2 in rg1, az1 in rg3. Undefined if it is none in this shape.
 */
function parseCrossRegionTag(tag: string, shape: Shape): ZoneChoice | undefined {
  const body = tag.toLowerCase().match(/^xr:(.+)$/)?.[1];
  if (body === undefined) return undefined;
  const values = body.includes(".") ? body.split(".") : [...body];
  const zoneWith = (value: string, { zones }: RegionShape) =>
    zones.map(({ name }) => name).find((name) => zoneTag(name) === `az:${value}`);
  const choice = values.map((value, index) => shape[index] && zoneWith(value, shape[index]));
  // Else it names a zone that there isn't, or isn't written as the tags are.
  return crossRegionTag(choice) === tag ? choice : undefined;
}
