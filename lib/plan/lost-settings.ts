import type { Problem } from "../base/errors.ts";
import { imageVersion, isOlder } from "../nodes/versions.ts";
import type { Settings } from "./settings.ts";

/** The first version in which what is left of a group gets along without members that are taken out (`EvictPeers`). */
const EVICTS = [2, 15, 0] as const;

/** Reports lost machines that the settings still use, or that their servers could not do without. */
export function lostProblems({
  lost,
  engines,
  image,
}: Pick<Settings, "lost" | "engines" | "image">): Problem[] {
  if (lost.length === 0) return [];
  const version = imageVersion(image);
  const isOld = version !== undefined && isOlder(version, EVICTS);
  return [
    ...lost.flatMap((key, index) =>
      Object.hasOwn(engines, key) ? [stillUsed(key, `lost[${index}]`)] : [],
    ),
    ...(Object.keys(engines).length === 0
      ? [
          {
            path: "lost",
            message: "is for machines of engines, and there are none",
            fix: "remove it",
          },
        ]
      : []),
    ...(isOld
      ? [
          {
            path: "lost",
            message: `servers of ${image} don't get along without lost ones`,
            fix: "first change image to nats:2.15.2, while the lost region is still in regions",
          },
        ]
      : []),
  ];
}

function stillUsed(key: string, path: string): Problem {
  return {
    path,
    message: `"${key}" is in engines, so that its nodes would be made anew there`,
    fix: `take it out of engines and regions first; after that up, take it out of lost, and add it with a new machine`,
  };
}
