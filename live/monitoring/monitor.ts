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
}
