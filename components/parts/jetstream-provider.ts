import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import {
  CONNECTION_KEY,
  type ManagerConnection,
  type Servers,
} from "../../live/jetstream/connection.ts";
import type { EngineState } from "../preflight/inspect-engine.ts";

export interface JetStreamProviderArgs {
  /** How to connect to the cluster as the stack's own users. Kept as a secret. */
  readonly connection: pulumi.Input<ManagerConnection>;
}

/**
 * The provider of a cluster's streams, and the only place in the state with the stack's own login. If each stream had
 * it, the CLI would encrypt all of those secrets again whenever it writes its state, and a changed password would show
 * as a change of every stream.
 */
export class JetStreamProvider extends pulumi.ProviderResource {
  constructor(name: string, args: JetStreamProviderArgs, opts?: pulumi.ResourceOptions) {
    const connection = pulumi.secret(pulumi.jsonStringify(args.connection));
    super("pulumi-nodejs", name, { [CONNECTION_KEY]: connection }, opts);
  }
}

/**
 * How to reach a planned cluster. With TLS planned, no password is sent to a server without TLS.
 *
 * @param ca PEM of the authorities that certify its nodes; undefined if they have no TLS, or not yet.
 * @param running its nodes by container name: a running node is reached at its current address.
 */
export function serversOf(
  plan: ClusterPlan,
  ca: pulumi.Input<string> | undefined,
  running: EngineState["containers"] = new Map(),
): pulumi.Output<Servers> {
  const urls = nodesOf(plan).map(({ clientUrl, containerName }) => {
    const address = running.get(containerName)?.clientAddress;
    return address === undefined ? clientUrl : clientUrl.replace(/(?<=:\/\/).*/, address);
  });
  const names = nodesOf(plan).map(({ name }) => name);
  return pulumi.output(ca).apply((known) => ({
    urls,
    ...(plan.tls === "none" ? {} : { tls: { ca: known ?? "", names } }),
  }));
}
