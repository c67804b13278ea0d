import { InvalidArgumentError } from "commander";
import { formatDuration, parseDuration } from "../../lib/base/quantities.ts";

/** `kill`: SIGKILL. `stop`: a clean shutdown. `pause`: frozen, with all its connections open. */
export const HOWS = ["kill", "stop", "pause"] as const;
export type How = (typeof HOWS)[number];

/** Long enough for the election of a leader, which takes up to 9 s. */
const SHORTEST_MS = 15_000;

/** Parses how long the nodes stay down. @returns milliseconds. @throws InvalidArgumentError */
export function parseAway(text: string): number {
  const away = readDuration(text) / 1e6;
  if (away >= SHORTEST_MS) return away;
  const shortest = formatDuration(SHORTEST_MS * 1e6);
  throw new InvalidArgumentError(`It is too short to tell anything; use ${shortest} or more.`);
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new InvalidArgumentError((cause as Error).message);
  }
}
