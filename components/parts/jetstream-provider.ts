import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import {
  CONNECTION_KEY,
  type KeyPair,
  type ManagerConnection,
  type OthersConnection,
  type Servers,
} from "../../live/jetstream/connection.ts";
import type { EngineState } from "../preflight/inspect-engine.ts";

export interface JetStreamProviderArgs {
  /** How to connect to the cluster: as the stack's own users, or by the logins of one that others run. Kept as a secret. */
  readonly connection: pulumi.Input<ManagerConnection | OthersConnection>;
}

/**
 * The provider of a cluster's streams, and the only place in the state with the stack's logins. If each stream had
 * it, the CLI would encrypt all of those secrets again whenever it writes its state, and a changed password would show
 * as a change of every stream.
 */
export class JetStreamProvider extends pulumi.ProviderResource {
  constructor(name: string, args: JetStreamProviderArgs, opts?: pulumi.ResourceOptions) {
    const connection = pulumi.secret(pulumi.jsonStringify(args.connection));
    super("pulumi-nodejs", name, { [CONNECTION_KEY]: connection }, opts);
  }
}

/** How the stack itself and its nodes verify each other. */
export interface OwnTrust {
  /** PEM of the authorities that certify nodes; undefined if they have no TLS, or not yet. */
  readonly caCertificate: pulumi.Input<string> | undefined;
  /** What to show to nodes that ask clients for a certificate, a secret; undefined if they ask for none. */
  readonly ownPair: pulumi.Input<KeyPair> | undefined;
}

/**
 * How to reach a planned cluster. With TLS planned, no password is sent to a server without TLS.
 *
 * @param running its nodes by container name: a running node is reached at its current address.
 */
export function serversOf(
  plan: ClusterPlan,
  { caCertificate, ownPair }: OwnTrust,
  running: EngineState["containers"] = new Map(),
): pulumi.Output<Servers> {
  const scheme = plan.tls === "none" ? "nats" : "tls";
  const urls = nodesOf(plan).map(({ dial, containerName }) => {
    return `${scheme}://${running.get(containerName)?.clientAddress ?? dial}`;
  });
  const names = nodesOf(plan).map(({ name }) => name);
  return pulumi.all([caCertificate, ownPair]).apply(([ca = "", pair]) => ({
    urls,
    ...(plan.tls === "none" ? {} : { tls: { ca, names, ...(pair ? { pair } : {}) } }),
  }));
}
