/** The nodes that leave a cluster, and their config while they do. */
import { peerId } from "../observed/meta-group.ts";
import type { MetaPeer } from "../observed/readiness.ts";
import { NO_STREAMS_TAG } from "../topology/tags.ts";

export interface LeavingNodes<Node> {
  /** Leaving nodes that are still members of the meta group, sorted by name. */
  readonly leaving: readonly Node[];
  /** Members of the meta group that aren't to stay and have no container, so nothing can be moved off them. */
  readonly orphans: readonly string[];
}

/**
 * Finds the nodes that aren't to stay, but are still members of the meta group. Others are left out: they have no data,
 * and must not be started, as they would join again (nats-server 2.15).
 *
 * @param own the stack's containers.
 * @param staying names of the nodes that stay.
 * @param members all members of the meta group, by its leader's view.
 */
export function findLeavingNodes<Node extends { readonly name: string }>(
  own: readonly Node[],
  staying: ReadonlySet<string>,
  members: readonly Pick<MetaPeer, "id" | "name">[],
): LeavingNodes<Node> {
  const leaving = own.filter(({ name }) => !staying.has(name));
  const ids = new Set(members.map(({ id }) => id));
  const known = new Set([...staying, ...leaving.map(({ name }) => name)].map(peerId));
  return {
    leaving: leaving
      .filter(({ name }) => ids.has(peerId(name)))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    orphans: members.filter(({ id }) => !known.has(id)).map(({ name }) => name),
  };
}

/**
 * Appends the tag to a node's config that keeps new replicas away. As the last `server_tags`, it replaces all others.
 */
export function drainedConf(conf: string): string {
  const line = `"server_tags": ["${NO_STREAMS_TAG}"]\n`;
  return conf.endsWith(line) ? conf : `${conf}${line}`;
}
