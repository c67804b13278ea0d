import { ownTags, type ServerTags } from "./server-tags.ts";
import { nodeName, type RegionShape, type Shape } from "./shape.ts";
import {
  crossRegionChoices,
  crossRegionTag,
  NO_STREAMS_TAG,
  regionTag,
  type ZoneChoice,
  zoneTag,
} from "./tags.ts";

/** A node's place in the shape, with what follows from it. */
export interface NodePlace {
  /** Server name and DNS name within the network, e.g. `rg1-az1`. It stays the same when the cluster grows. */
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  /** Offset from the first client port, and from the first monitoring port. */
  readonly portOffset: number;
  /** In this order: region, zone, cross-region combinations, those of the settings, that of witnesses. */
  readonly serverTags: readonly string[];
  /** Present if it is a witness: it votes in the meta group, and takes no streams. */
  readonly witness?: true;
}

/** Distance between the port offsets of the first, second, third … server of a zone. */
const PORTS_PER_NODE_INDEX = 100;

/**
 * Lists the nodes of a shape, region by region, zone by zone.
 *
 * @param requestedTags placement tags that streams ask for. Nodes get a cross-region tag among them even if there are
 *   too many combinations to render all, or if the tag leaves regions out.
 * @param serverTags the setting of that name.
 */
export function placeNodes(
  shape: Shape,
  requestedTags: readonly string[] = [],
  serverTags: ServerTags = {},
): NodePlace[] {
  const crossRegion = crossRegionTags(shape, requestedTags);
  return shape.flatMap(({ name: region, zones }, regionIndex) =>
    zones.flatMap(({ name: zone, nodes, witness }, zoneIndex) => {
      const chosen = crossRegion.filter(({ choice }) => choice[regionIndex]?.includes(zone));
      const zoneTags = [regionTag(region), zoneTag(zone), ...chosen.map(({ tag }) => tag)];
      return Array.from({ length: nodes }, (_, nodeIndex) => {
        const name = nodeName(region, zone, nodeIndex);
        return {
          name,
          region,
          zone,
          portOffset: cellIndex(regionIndex, zoneIndex) + nodeIndex * PORTS_PER_NODE_INDEX,
          serverTags: [
            ...zoneTags,
            ...ownTags({ name, region, zone }, serverTags),
            ...(witness ? [NO_STREAMS_TAG] : []),
          ],
          ...(witness ? { witness } : {}),
        };
      });
    }),
  );
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
  const complete = crossRegionChoices(shape.map(zonesWithStreams));
  const tags = new Map(complete.map((choice) => [crossRegionTag(choice), choice]));
  for (const tag of requestedTags) {
    const choice = parseCrossRegionTag(tag, shape);
    if (choice) tags.set(tag, choice);
  }
  return [...tags].map(([tag, choice]) => ({ tag, choice })).sort(byTag);
}

function zonesWithStreams({ zones }: RegionShape): string[] {
  return zones.filter(({ witness }) => !witness).map(({ name }) => name);
}

const byTag = (a: CrossRegionTag, b: CrossRegionTag) => (a.tag < b.tag ? -1 : 1);

/**
 * The choice that a cross-region tag means: `xr:2_1` → az2 in rg1, az1 in rg3. Undefined if it is none in this shape.
 */
function parseCrossRegionTag(tag: string, shape: Shape): ZoneChoice | undefined {
  const body = tag.toLowerCase().match(/^xr:(.+)$/)?.[1];
  if (body === undefined) return undefined;
  const segments = body.includes(".") ? body.split(".") : [...body];
  const choice = segments.map((segment, index) => {
    const wanted = new Set(segment.split("+").map((value) => `az:${value}`));
    const region = shape[index];
    return region ? zonesWithStreams(region).filter((name) => wanted.has(zoneTag(name))) : [];
  });
  // Else it names a zone that there isn't, or isn't written as the tags are.
  return crossRegionTag(choice) === tag ? choice : undefined;
}
