import * as pulumi from "@pulumi/pulumi";
import type { Credentials } from "../lib/nats-conf.ts";
import { type ClusterPlan, nodesOf } from "../lib/plan.ts";
import { CONNECTION_KEY, type Connection } from "../providers/connection.ts";

export interface JetStreamProviderArgs {
  /** How to reach the cluster, as a user of the account that owns the streams. Kept as a secret. */
  readonly connection: pulumi.Input<Connection>;
}

/**
 * Through what streams are reached, and the one place in the state that holds a password. A secret in each
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
 * How a user reaches a planned cluster. Where it is to have TLS, a password goes to no server without.
 *
 * @param ca PEM of the authorities that certify its nodes; undefined where they have no TLS, or none yet.
 */
export function connectionTo(
  plan: ClusterPlan,
  credentials: pulumi.Input<Credentials>,
  ca: pulumi.Input<string> | undefined,
): pulumi.Output<Connection> {
  const urls = nodesOf(plan).map(({ clientUrl }) => clientUrl);
  const names = nodesOf(plan).map(({ name }) => name);
  return pulumi.all([credentials, ca]).apply(([{ user, password }, known]) => ({
    urls,
    user,
    password,
    ...(plan.tls === "none" ? {} : { tls: { ca: known ?? "", names } }),
  }));
}
