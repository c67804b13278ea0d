/** Names by which what tests make lives beside all else on the engine: ports derive from them, and there are few. */
import { randomBytes } from "node:crypto";
import { execaSync } from "execa";
import { publishedPorts } from "../../lib/nodes/published-ports.ts";
import { parseSettings, type StackIdentity } from "../../lib/plan/settings.ts";

/** At least as many as test files ever run at once. */
const SHARES = 8;
/** Ports from one cluster's first to the next one's. */
const STEP = 20;

/**
 * A random name with which clusters get ports that are in nobody's use, nor ever in that of tests beside this one.
 *
 * @param prefix what it begins with.
 * @param clustersOf the clusters that such a name makes.
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
    const isOwn = slots.every((slot) => slot % SHARES === share && !taken.has(slot));
    if (isOwn && new Set(slots).size === slots.length) return name;
  }
}

function slotOf(port: number): number {
  return Math.floor(port / STEP);
}
