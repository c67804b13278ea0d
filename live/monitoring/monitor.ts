/** A node, and how to ask it. */
export interface Monitor {
  readonly name: string;
  /** Where clients reach it, `host:port`; absent while it doesn't run. */
  readonly address?: string;
  /** URL of its monitoring port; absent unless that is published, and while the node doesn't run. */
  readonly url?: string;
  /** PEM of the authorities that certify nodes; absent if they have no TLS. */
  readonly ca?: string;
  /** Seed of the nkey by which the stack looks at its cluster, a secret; absent if no server knows it yet. */
  readonly seed?: string;
  /** Reads the seeds that nodes have now: two while an update changes the nkey, node by node. */
  readonly allSeeds?: () => Promise<readonly string[]>;
}

/** What it takes to log in to nodes as the stack that looks at them. */
export type MonitorSeeds = Pick<Monitor, "seed" | "allSeeds">;

/** What a node's part of {@link Monitor} is that doesn't depend on where it is. */
export function seedsOf({ seed, allSeeds }: Monitor): MonitorSeeds {
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(allSeeds === undefined ? {} : { allSeeds }),
  };
}
