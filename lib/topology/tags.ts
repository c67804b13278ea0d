/**
 * The tags that a server derives from its place in the model, and the way back from a place to its tag.
 *
 * A region `rg2` is tagged `rg:2`, an availability zone `az1` is tagged `az:1`; a name without the
 * conventional prefix is its own value (`us-east` gives `rg:us-east`). A cross-region tag picks one
 * zone in each region, in the order of the regions: `xr:231` is zone 2 in region 1, zone 3 in region 2,
 * zone 1 in region 3. nats-server has no OR over placement tags, hence the precomputed combinations.
 */

/** A zone for each region, in the order of the regions; `undefined` where a region takes no part. */
export type ZoneChoice = readonly (string | undefined)[];

/** More combinations than this say nothing to a reader: then only those that streams ask for are rendered. */
export const MAX_RENDERED_COMBINATIONS = 64;

/** The placement tag of a region: `rg2` → `rg:2`, `us-east` → `rg:us-east`. */
export function regionTag(region: string): string {
  return `rg:${tagValue(region, "rg")}`;
}

/** The placement tag of an availability zone: `az1` → `az:1`, `b` → `az:b`. */
export function zoneTag(zone: string): string {
  return `az:${tagValue(zone, "az")}`;
}

/**
 * The placement tag of a choice of zones: `[az1, az2, az3]` → `xr:123`.
 *
 * Values of one character are written side by side, as long as all are; otherwise they are joined with
 * dots (`xr:1.12.3`), so that no two choices share a tag. A region that takes no part is `_`; trailing
 * ones are left out, so that a region added at the end renames nothing.
 */
export function crossRegionTag(choice: ZoneChoice): string {
  const values = choice.map((zone) => (zone === undefined ? "_" : tagValue(zone, "az")));
  while (values.at(-1) === "_") values.pop();
  if (values.every((value) => value.length === 1)) return `xr:${values.join("")}`;
  // Alone, `12` would read as zones 1 and 2.
  return `xr:${(values.length === 1 ? [...values, "_"] : values).join(".")}`;
}

/**
 * Every choice of one zone per region in which no zone is used twice, as `unique_tag: "az:"` demands:
 * A!/(A-R)! of them, in lexical order of the zones. Empty with fewer zones than regions, and with a
 * single region (its own tag says the same).
 */
export function crossRegionChoices(regions: number, zones: readonly string[]): string[][] {
  if (regions < 2) return [];
  const extend = (length: number): string[][] =>
    length === 0
      ? [[]]
      : extend(length - 1).flatMap((choice) =>
          zones.filter((zone) => !choice.includes(zone)).map((zone) => [...choice, zone]),
        );
  return countChoices(regions, zones.length) === 0 ? [] : extend(regions);
}

/** How many choices {@link crossRegionChoices} would list, without listing them. */
export function countChoices(regions: number, zones: number): number {
  if (regions < 2 || zones < regions) return 0;
  let count = 1;
  for (let left = zones; left > zones - regions; left--) count *= left;
  return count;
}

function tagValue(name: string, prefix: string): string {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length).replace(/^-/, "") : "";
  return rest === "" ? name : rest;
}
