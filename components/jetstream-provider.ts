import * as pulumi from "@pulumi/pulumi";
import { CONNECTION_KEY, type ManagerConnection } from "../providers/connection.ts";

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
