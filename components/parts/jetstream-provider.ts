import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import {
  CONNECTION_KEY,
  type ManagerConnection,
  type Servers,
} from "../../live/jetstream/connection.ts";
import type { EngineState } from "../foresight/inspect-engine.ts";

export interface JetStreamProviderArgs {
  /** How to reach the cluster as the stack's own users. Kept as a secret. */
  readonly connection: pulumi.Input<ManagerConnection>;
}

/**
 * Through what streams are reached, and the one place in the state that holds what the stack logs in with. A secret in each
 * stream would be encrypted anew, all of them, whenever the CLI writes its state; and with another password
 * every stream would show a change.
 */
export class JetStreamProvider extends pulumi.ProviderResource {
  constructor(name: string, args: JetStreamProviderArgs, opts?: pulumi.ResourceOptions) {
    const connection = pulumi.secret(pulumi.jsonStringify(args.connection));
    super("pulumi-nodejs", name, { [CONNECTION_KEY]: connection }, opts);
  }
}

/**
 * Where a planned cluster is reached. Where it is to have TLS, a password goes to no server without.
 *
 * @param ca PEM of the authorities that certify its nodes; undefined where they have no TLS, or none yet.
 * @param running its nodes by their containers' names: one that runs is reached where it is now.
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
