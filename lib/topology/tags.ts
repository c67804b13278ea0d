/**
 * Placement tags: the server tags that follow from a node's region and zone.
 *
 * A region `rg2` is tagged `rg:2`, an availability zone `az1` is tagged `az:1`; a name without the
 * conventional prefix is its own value (`us-east` gives `rg:us-east`). A cross-region tag selects one
 * zone in each region, in the order of the regions: `xr:231` is zone 2 in region 1, zone 3 in region 2,
 * zone 1 in region 3; `xr:1+2.3` selects two zones in region 1. nats-server has no OR over placement tags, so each
 * combination is a tag.
 */

/**
 * A server with this tag gets no new replicas (nats-server 2.9+, `jsExcludePlacement`). Witnesses have it for good, nodes
 * that leave until they are gone.
 */
export const NO_STREAMS_TAG = "!jetstream";

/** The zones of each region, in the order of the regions; none for a region without a replica. */
export type ZoneChoice = readonly (readonly string[])[];

/**
 * The most cross-region tags that servers get without being asked. A shape with more combinations has only those that
 * streams ask for, to keep configs readable.
 */
export const MAX_RENDERED_COMBINATIONS = 64;

/** The placement tag of a region: `rg2` → `rg:2`, `us-east` → `rg:us-east`. */
export function regionTag(region: string): string {
  return `rg:${tagValue(region, "rg")}`;
}

/** How servers are tagged by their places. */
export interface PlaceTags {
  /** The placement tag of a region. */
  readonly region: (region: string) => string;
  /** The placement tag that the servers in these zones have, and no others; undefined if there is none. */
  readonly across: (choice: ZoneChoice) => string | undefined;
}

/** The placement tag of an availability zone: `az1` → `az:1`, `b` → `az:b`. */
export function zoneTag(zone: string): string {
  return `az:${tagValue(zone, "az")}`;
}

/**
 * The placement tag of a choice of zones: `[[az1], [az2], [az3]]` → `xr:123`.
 *
 * If all values have one character, they are written side by side; otherwise they are joined with dots
 * (`xr:1.12.3`), so that no two choices share a tag. Several zones of a region are joined with a plus (`xr:1+2.3`).
 * `_` stands for a region without a replica; trailing ones are left out, so that adding a region at the end renames no
 * tag.
 */
export function crossRegionTag(choice: ZoneChoice): string {
  const values = choice.map((zones) => zones.map((zone) => tagValue(zone, "az")).join("+") || "_");
  while (values.at(-1) === "_") values.pop();
  if (values.every((value) => value.length === 1)) return `xr:${values.join("")}`;
  // Without the dot, a single `12` would read as zones 1 and 2.
  return `xr:${(values.length === 1 ? [...values, "_"] : values).join(".")}`;
}

/** How the nodes of a planned cluster are tagged. */
export const OWN_TAGS: PlaceTags = { region: regionTag, across: crossRegionTag };

/**
 * Every choice of one zone per region in which no two zones have the same tag, as `unique_tag: "az:"` demands. For R
 * regions that have the same A zones, that are A!/(A-R)! choices. Empty with a single region, where the region's tag
 * suffices, and if there are more than {@link MAX_RENDERED_COMBINATIONS}.
 *
 * @param regions the zones of each region. Of a region without zones no choice has one.
 */
export function crossRegionChoices(regions: readonly (readonly string[])[]): ZoneChoice[] {
  const taking = regions.filter((zones) => zones.length > 0);
  if (taking.length < 2) return [];
  const found: ZoneChoice[] = [];
  for (const choice of chooseApart(taking, new Set())) {
    if (found.length === MAX_RENDERED_COMBINATIONS) return [];
    const chosen = [...choice];
    found.push(regions.map(({ length }) => (length > 0 ? chosen.splice(0, 1) : [])));
  }
  return found;
}

/** @param taken tags of zones that are in the choice already. */
function* chooseApart(
  [zones, ...others]: readonly (readonly string[])[],
  taken: ReadonlySet<string>,
): Generator<readonly string[]> {
  if (zones === undefined) {
    yield [];
    return;
  }
  for (const zone of zones) {
    const tag = zoneTag(zone);
    if (taken.has(tag)) continue;
    const nowTaken = new Set([...taken, tag]);
    // Without this, dead ends could take as long as all choices.
    if (!isChoosable(others, nowTaken)) continue;
    for (const rest of chooseApart(others, nowTaken)) yield [zone, ...rest];
  }
}

/** Whether each region can get a zone with a tag of its own: a matching, by augmenting paths. */
function isChoosable(regions: readonly (readonly string[])[], taken: ReadonlySet<string>): boolean {
  const holders = new Map<string, number>();
  const seat = (region: number, tried: Set<string>): boolean =>
    (regions[region] ?? []).map(zoneTag).some((tag) => {
      if (taken.has(tag) || tried.has(tag)) return false;
      tried.add(tag);
      const holder = holders.get(tag);
      if (holder !== undefined && !seat(holder, tried)) return false;
      holders.set(tag, region);
      return true;
    });
  return regions.every((_, region) => seat(region, new Set()));
}

function tagValue(name: string, prefix: string): string {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length).replace(/^-/, "") : "";
  return rest === "" ? name : rest;
}
