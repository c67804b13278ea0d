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
  /** What to show to nodes that ask clients for a certificate, a secret; absent without TLS. */
  readonly pair?: KeyPair;
}

/** What it takes to log in to a node that the engine has: where it is reached from here, whatever clients are told. */
export function accessTo(node: Monitor | undefined): Pick<Monitor, "address" | "seed" | "pair"> {
  if (node === undefined) return {};
  const { address, seed, pair } = node;
  return {
    ...(address === undefined ? {} : { address }),
    ...(seed === undefined ? {} : { seed }),
    ...(pair === undefined ? {} : { pair }),
  };
}
