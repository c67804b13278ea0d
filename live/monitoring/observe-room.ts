import { ACCOUNTS_ROOM } from "../../lib/observed/questions.ts";
import type { ObservedRoom } from "../../lib/update/room-changes.ts";
import { askAll } from "./ask-all.ts";
import { askNode } from "./ask-node.ts";
import { parseJsz } from "./jsz.ts";
import type { Monitor } from "./monitor.ts";

/** A busy node must not delay a preview. If it doesn't answer in time, the other nodes' answers have to do. */
const ANSWER_MS = 2_000;

/**
 * Asks every node for its storage and its accounts' storage, without reading streams. Never throws.
 *
 * @param beyond names of nodes whose engine doesn't answer.
 */
export async function observeRoom(
  nodes: readonly Monitor[],
  beyond?: ReadonlySet<string>,
): Promise<ObservedRoom> {
  const ask = async (node: Monitor) => {
    try {
      return { node, page: parseJsz(await askNode(node, ACCOUNTS_ROOM, ANSWER_MS)) };
    } catch {
      return undefined;
    }
  };
  const pages = await askAll(nodes, ask, beyond);
  const answers = pages.filter((page) => page !== undefined);
  return {
    servers: answers.map(({ node: { name }, page: { file, memory } }) => ({ name, file, memory })),
    accounts: answers[0]?.page.accounts ?? [],
    metaLeader: answers.find(({ page }) => page.metaGroup)?.page.metaGroup?.leader ?? "",
  };
}
