import * as pulumi from "@pulumi/pulumi";

/**
 * Lives as long as its cluster: streams use it as their `deletedWith`.
 *
 * It has no children, because Pulumi (3.259) treats whatever is deleted with a component as dependent on all of its
 * children: a thousand streams would be deleted one by one. It isn't one of the cluster's steps either, because a
 * replaced step counts as deleted: a stream that leaves in the same update would then stay on the servers.
 */
export class Lifespan extends pulumi.ComponentResource {
  constructor(name: string, parent: pulumi.Resource) {
    super("nats-regions:index:Lifespan", name, {}, { parent });
    this.registerOutputs({});
  }
}
