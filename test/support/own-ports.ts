/**
 * Ports that concurrent test files never share, and random names for what tests create on the engine, chosen so that the
 * ports that are derived from them don't collide.
 */
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { execaSync } from "execa";
import { publishedPorts } from "../../lib/nodes/published-ports.ts";
import { parseSettings, type StackIdentity } from "../../lib/plan/settings.ts";

/** At least the number of test files that run at once. */
const SHARES = 8;
/** Distance of two clusters' first ports. */
const STEP = 20;

/**
 * The ports of a share: above those that are derived from names, and below those from which Linux takes any for a
 * connection, or for a listener that wants none in particular.
 */
const OWN_PORTS = { first: 20_000, count: 1_500 };

const ownShare = () => Number(process.env.VITEST_POOL_ID ?? 0) % SHARES;

let lastPort = randomInt(OWN_PORTS.count);

/** Ports on loopback that are free, and that no other test file gets. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    lastPort = (lastPort + 1) % OWN_PORTS.count;
    const port = OWN_PORTS.first + ownShare() * OWN_PORTS.count + lastPort;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer().listen(port, "127.0.0.1");
  try {
    await once(listener, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  listener.close();
  await once(listener, "close");
  return true;
}

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
  const share = ownShare();
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
