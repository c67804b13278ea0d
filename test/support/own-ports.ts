/**
 * Random names for what tests create on the engine, chosen so that the ports that are derived from them don't collide.
 */
import { randomBytes } from "node:crypto";
import { execaSync } from "execa";
import { publishedPorts } from "../../lib/nodes/published-ports.ts";
import { parseSettings, type StackIdentity } from "../../lib/plan/settings.ts";

/** At least the number of test files that run at once. */
const SHARES = 8;
/** Distance of two clusters' first ports. */
const STEP = 20;

/** Given to concurrent tests of this file, whose clusters may not run yet. */
const given = new Set<number>();

/**
 * A random name whose clusters get ports that nobody uses, and that concurrent tests never get.
 *
 * @param prefix of the name.
 * @param clustersOf the clusters that such a name creates.
 */
export function nameWithOwnPorts(
  prefix: string,
  clustersOf: (name: string) => readonly StackIdentity[],
): string {
  const share = Number(process.env.VITEST_POOL_ID ?? 0) % SHARES;
  const { stdout } = execaSync("docker", ["ps", "--format={{.Ports}}"]);
  const taken = new Set(publishedPorts(stdout).map(slotOf));
  for (;;) {
    const name = `${prefix}-${randomBytes(4).toString("hex")}`;
    const slots = clustersOf(name).map((identity) =>
      slotOf(parseSettings({}, identity).clientPort),
    );
    const isOwn = (slot: number) => slot % SHARES === share && !taken.has(slot) && !given.has(slot);
    if (!slots.every(isOwn) || new Set(slots).size < slots.length) continue;
    for (const slot of slots) given.add(slot);
    return name;
  }
}

function slotOf(port: number): number {
  return Math.floor(port / STEP);
}
