import { setTimeout as sleep } from "node:timers/promises";
import type { Monitor } from "./monitor.ts";

/**
 * Milliseconds that nodes get after all others have answered, if their engine doesn't answer: a connection with TLS to
 * another machine takes six round trips, and so do theirs. A machine that is gone isn't waited for.
 */
const GRACE_MS = 600;

/**
 * Asks all nodes at once.
 *
 * @param ask resolves with undefined for a node that doesn't answer in time.
 * @param beyond names of nodes whose engine doesn't answer.
 */
export async function askAll<Answer>(
  nodes: readonly Monitor[],
  ask: (node: Monitor) => Promise<Answer | undefined>,
  beyond: ReadonlySet<string> = new Set(),
): Promise<(Answer | undefined)[]> {
  const asked = nodes.map((node) => ({ answer: ask(node), isBeyond: beyond.has(node.name) }));
  const near = asked.filter(({ isBeyond }) => !isBeyond).map(({ answer }) => answer);
  const late = Promise.all(near).then(() => sleep(GRACE_MS, undefined, { ref: false }));
  return await Promise.all(
    asked.map(({ answer, isBeyond }) => (isBeyond ? Promise.race([answer, late]) : answer)),
  );
}
