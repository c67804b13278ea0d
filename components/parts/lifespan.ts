import * as pulumi from "@pulumi/pulumi";

/**
 * Is there as long as its cluster is: to be the `deletedWith` of what a destroyed cluster takes along. Has no children,
 * as Pulumi (3.259) takes whatever is deleted with a component to depend on all of them: a thousand streams would be
 * deleted one by one. It's no step of the cluster either, as one that is replaced counts as deleted: a stream that
 * leaves in the same update would stay on the servers.
 */
export class Lifespan extends pulumi.ComponentResource {
  constructor(name: string, parent: pulumi.Resource) {
    super("nats-regions:index:Lifespan", name, {}, { parent });
    this.registerOutputs({});
  }
}
