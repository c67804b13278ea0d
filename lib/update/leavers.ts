/** Which nodes leave a cluster, and what their config says meanwhile. */
import { peerId } from "../observed/meta-group.ts";
import type { MetaPeer } from "../observed/readiness.ts";
import { DRAIN_TAG } from "../placement/placement.ts";

export interface Leavers<Node> {
  /** By name: those that count in the meta group still. */
  readonly leaving: readonly Node[];
  /** Members that are not to stay and have no container: nothing can be moved off them. */
  readonly ghosts: readonly string[];
}

/**
 * Finds the nodes that are not to stay, but still count in the meta group. One that doesn't has nothing to lose, and is
 * not to be started again (it would join again, nats-server 2.15).
 *
 * @param own the containers of the stack.
 * @param members all of the meta group, by its leader.
 */
export function findLeavers<Node extends { readonly name: string }>(
  own: readonly Node[],
  staying: ReadonlySet<string>,
  members: readonly Pick<MetaPeer, "id" | "name">[],
): Leavers<Node> {
  const leaving = own.filter(({ name }) => !staying.has(name));
  const ids = new Set(members.map(({ id }) => id));
  const known = new Set([...staying, ...leaving.map(({ name }) => name)].map(peerId));
  return {
    leaving: leaving
      .filter(({ name }) => ids.has(peerId(name)))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ghosts: members.filter(({ id }) => !known.has(id)).map(({ name }) => name),
  };
}

/** A node's config with the tag that keeps new replicas away: below what is there, where it replaces the others. */
export function drainedConf(conf: string): string {
  const line = `"server_tags": ["${DRAIN_TAG}"]\n`;
  return conf.endsWith(line) ? conf : `${conf}${line}`;
}
