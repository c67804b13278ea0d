import { pulumiCommand, type SettingsPlace } from "../../lib/base/settings-place.ts";
import type { HeldStream } from "../../lib/update/departures.ts";
import { LONG_REQUEST_MS, REQUEST_MS } from "./ask-node.ts";
import type { Monitor } from "./monitor.ts";
import { askHeldStreams } from "./monitoring.ts";

const TRIES = 3;

/**
 * Asks a node for the streams that it has a replica of. A node that is busy may need longer than usual: that alone
 * mustn't fail its departure.
 *
 * @throws Error if it doesn't answer in {@link TRIES} attempts with the longer deadline either.
 */
export async function askHeldPatiently(
  node: Monitor,
  {
    short = REQUEST_MS,
    long = LONG_REQUEST_MS,
    say = (line: string) => console.error(line),
    place = "config" as SettingsPlace,
  } = {},
): Promise<readonly HeldStream[]> {
  try {
    return await askHeldStreams(node, short);
  } catch {
    say(
      `${node.name} takes its time to tell what it holds: asking again, for up to ${long / 1_000} s`,
    );
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await askHeldStreams(node, long);
    } catch (error) {
      if (tries < TRIES) continue;
      throw new Error(
        `${node.name} doesn't tell what it holds, so that it isn't stopped: no answer within ${long / 1_000} s (${(error as Error).message}); run "${pulumiCommand(place)} up" again once it is less busy`,
      );
    }
  }
}
