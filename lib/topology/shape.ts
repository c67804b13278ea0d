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
  /** Present if its servers are witnesses: they vote in the meta group, and take no streams. */
  readonly witness?: true;
}

/** Maxima of regions, and of zones per region: 10 x 10 cells fill the ports of a node index, see `placeNodes`. */
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

/** The name of a zone of a region, which is also that of its first node: `rg1-az1`. */
export function zonePath(region: string, zone: string): string {
  return `${region}-${zone}`;
}

/** The name of a node of a zone: `rg1-az1`, `rg1-az1-2`, `rg1-az1-3`. */
export function nodeName(region: string, zone: string, nodeIndex: number): string {
  const first = zonePath(region, zone);
  return nodeIndex === 0 ? first : `${first}-${nodeIndex + 1}`;
}

/** The regions and zones that take streams, each with at least one zone. */
export function withoutWitnesses(shape: Shape): Shape {
  return shape
    .map((region) => ({ ...region, zones: region.zones.filter(({ witness }) => !witness) }))
    .filter(({ zones }) => zones.length > 0);
}
