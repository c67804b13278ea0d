import type { KeyPair } from "../jetstream/connection.ts";

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
  /** What to show to nodes that ask clients for a certificate, a secret; absent without TLS. */
  readonly pair?: KeyPair;
}

/** What it takes to log in to nodes as the stack that looks at them; the same for all nodes. */
export type OwnLogin = Pick<Monitor, "seed" | "allSeeds" | "pair">;

/** What a node's part of {@link Monitor} is that doesn't depend on where it is. */
export function loginOf({ seed, allSeeds, pair }: OwnLogin): OwnLogin {
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(allSeeds === undefined ? {} : { allSeeds }),
    ...(pair === undefined ? {} : { pair }),
  };
}
