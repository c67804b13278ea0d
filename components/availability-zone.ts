import * as pulumi from "@pulumi/pulumi";
import { NatsNode, type NatsNodeArgs } from "./nats-node.ts";

/** An availability zone of one region: a failure domain. Its nodes are added wave by wave. */
export class AvailabilityZone extends pulumi.ComponentResource {
  constructor(name: string, _args: object, opts?: pulumi.ComponentResourceOptions) {
    super("nats-regions:index:AvailabilityZone", name, {}, opts);
    this.registerOutputs({});
  }

  /** Adds a node. It is created or replaced once every resource in `args.after` is ready. */
  addNode(name: string, args: NatsNodeArgs): NatsNode {
    return new NatsNode(name, args, { parent: this });
  }
}
