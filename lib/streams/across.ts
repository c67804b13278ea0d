import type { Problem } from "../base/errors.ts";
import { ownValue } from "../base/records.ts";
import { type Shape, withoutWitnesses } from "../topology/shape.ts";
import type { PlaceTags, ZoneChoice } from "../topology/tags.ts";
import type { NodePlace } from "../topology/topology.ts";

/** By region: a zone, or the number of zones that get a replica each, e.g. `{ us: 2, eu: "x" }`. */
export type Across = Readonly<Record<string, string | number>>;

/** What a placement across regions depends on. */
export interface Estate {
  readonly shape: Shape;
  /** Its nodes. Their cross-region tags don't matter. */
  readonly nodes: readonly Pick<NodePlace, "region" | "zone" | "name" | "serverTags">[];
  /** Prefix of the tags in which replicas must differ; `""`: none. */
  readonly uniqueTag: string;
  readonly tags: PlaceTags;
}

/**
 * The placement tag for a zone, or several, in each of several regions. Of the choices that numbers leave, it is the
 * first in the order of regions and zones with which nats-server has no choice but a replica in each zone: each zone has
 * one unique tag, no two have the same, and there is a tag for all of them.
 *
 * @returns undefined if there is no such choice; {@link acrossProblems} says why.
 */
export function acrossTag(across: Across, estate: Estate): string | undefined {
  const choice = chosenZones(across, estate);
  return choice && estate.tags.across(choice);
}

function chosenZones(across: Across, estate: Estate): ZoneChoice | undefined {
  return hasNumbers(across) ? chooseZones(across, estate) : namedZones(across, estate);
}

function hasNumbers(across: Across): boolean {
  return Object.values(across).some((wanted) => typeof wanted === "number");
}

function namedZones(across: Across, { shape }: Estate): ZoneChoice {
  return shape.map(({ name }) => {
    const zone = ownValue(across, name);
    return typeof zone === "string" ? [zone] : [];
  });
}

function chooseZones(across: Across, estate: Estate): ZoneChoice | undefined {
  const options = estate.shape.map(({ name, zones }) => {
    const wanted = ownValue(across, name);
    if (wanted === undefined) return [[]];
    const names = zones.filter(({ witness }) => !witness).map((zone) => zone.name);
    const usable = names.filter((zone) => seatsOf(name, zone, estate).length === 1);
    return typeof wanted === "string"
      ? [usable.filter((zone) => zone === wanted)].filter(({ length }) => length === 1)
      : combinations(usable, wanted);
  });
  return firstApart(options, [], new Set(), estate);
}

/** The first option of each region with which no two zones share a seat, and all have a tag of their own. */
function firstApart(
  [options, ...others]: readonly ZoneChoice[],
  chosen: ZoneChoice,
  taken: ReadonlySet<string>,
  estate: Estate,
): ZoneChoice | undefined {
  if (options === undefined) return estate.tags.across(chosen) === undefined ? undefined : chosen;
  const name = estate.shape[chosen.length]?.name ?? "";
  for (const zones of options) {
    const seats = zones.flatMap((zone) => seatsOf(name, zone, estate));
    const nowTaken = new Set([...taken, ...seats]);
    if (nowTaken.size < taken.size + zones.length) continue;
    const choice = firstApart(others, [...chosen, zones], nowTaken, estate);
    if (choice) return choice;
  }
  return undefined;
}

/** The seats of a zone, of which each may get a replica: its nodes' unique tags; without these, its nodes. */
function seatsOf(region: string, zone: string, { nodes, uniqueTag }: Estate): readonly string[] {
  const inZone = nodes.filter((node) => node.region === region && node.zone === zone);
  const seatOf = ({ name, serverTags }: (typeof nodes)[number]) =>
    uniqueTag === ""
      ? name
      : (serverTags.map((tag) => tag.toLowerCase()).find((tag) => tag.startsWith(uniqueTag)) ?? "");
  return [...new Set(inZone.map(seatOf))];
}

/** All ways to take some of the items, in their order. */
function combinations(items: readonly string[], count: number): ZoneChoice {
  if (count === 0) return [[]];
  return items.flatMap((item, index) =>
    combinations(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]),
  );
}

const NO_TAG: Problem = {
  path: "placement.across",
  message: "there is no tag that the servers in these zones have, and no others",
  fix: "give them one, or use region or tags",
};

/**
 * Reports numbers that don't fit the stream or the regions. Names of places that there aren't are reported elsewhere.
 *
 * @param replicas of the stream.
 */
export function acrossProblems(across: Across, replicas: number, estate: Estate): Problem[] {
  if (Object.keys(across).length === 0) return [];
  if (!hasNumbers(across)) return acrossTag(across, estate) === undefined ? [NO_TAG] : [];
  const wanted = Object.values(across).map((each) => (typeof each === "number" ? each : 1));
  const sum = wanted.reduce((total, each) => total + each, 0);
  if (sum !== replicas) {
    const message = `is ${replicas}, but placement.across has ${sum} in all`;
    return [{ path: "replicas", message, fix: "make both the same" }];
  }
  const tooMany = withoutWitnesses(estate.shape).flatMap(({ name, zones }) => {
    const count = ownValue(across, name);
    if (typeof count !== "number" || count <= zones.length) return [];
    const names = zones.map((zone) => zone.name).join(", ");
    const message = `asks for ${count} zones, of ${zones.length} that take streams (${names})`;
    return [{ path: `placement.across.${name}`, message, fix: `use ${zones.length} at most` }];
  });
  if (tooMany.length > 0 || acrossTag(across, estate) !== undefined) return tooMany;
  // Nodes of one's own have a tag for any choice; servers of others have those that they have.
  const anyTag = { ...estate.tags, across: () => "" };
  if (chosenZones(across, { ...estate, tags: anyTag })) return [NO_TAG];
  const { uniqueTag } = estate;
  return [
    uniqueTag === ""
      ? {
          path: "placement.across",
          message: "a zone with several nodes could get several replicas, as uniqueTag is none",
          fix: "set uniqueTag to az:",
        }
      : {
          path: "placement.across",
          message: `there are no such zones that have one "${uniqueTag}" tag each, and no two the same`,
          fix: "use other numbers, or tags",
        },
  ];
}
