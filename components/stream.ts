import * as pulumi from "@pulumi/pulumi";
import type { Fleet } from "../lib/placement/placement.ts";
import type { StreamConfig } from "../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../lib/streams/stream-policy.ts";
import { providerText } from "./dynamic.ts";
import type { JetStreamProvider } from "./jetstream-provider.ts";

export interface StreamArgs {
  /** Its name on the servers. Default: the resource's. Can't change: another name is another stream. */
  readonly stream?: pulumi.Input<string>;
  /** Account that the stream belongs to. Can't change: the messages would be lost. */
  readonly account: pulumi.Input<string>;
  /**
   * The whole config: what it leaves out has the server's default. Its name must be that of the stream. Most
   * fields change in place; another placement or number of replicas moves data, with the stream in use.
   */
  readonly config: pulumi.Input<StreamConfig>;
  /** What an `up` may do with the stream. Default: nothing that loses messages. */
  readonly policy?: pulumi.Input<StreamPolicy>;
  /**
   * The servers to plan with. Plain values from the plan, never outputs of containers: those are unknown
   * while a container is being replaced, and the preview would show nothing. Not kept in the state.
   */
  readonly fleet: pulumi.Input<Fleet>;
  /** Stands for what the provider's `check` adds: unknown where that can't be called yet. */
  readonly checked?: pulumi.Input<undefined>;
}

export interface StreamOptions extends pulumi.CustomResourceOptions {
  readonly provider: JetStreamProvider;
}

/**
 * A JetStream stream, with its place among regions and zones. The preview shows the hosts of its replicas
 * and refuses what can't be placed or would lose messages.
 */
export class Stream extends pulumi.CustomResource {
  declare readonly account: pulumi.Output<string>;
  declare readonly config: pulumi.Output<StreamConfig>;
  /** Where the replicas were planned to be; more hosts than replicas where the server could choose. */
  declare readonly hosts: pulumi.Output<string[]>;
  /** Host that led the stream when Pulumi last looked. */
  declare readonly leader: pulumi.Output<string>;
  /** Hosts that held a replica when Pulumi last looked, the leader's among them, sorted. */
  declare readonly replicas: pulumi.Output<string[]>;
  /** When the stream was created, RFC 3339. */
  declare readonly created: pulumi.Output<string>;

  constructor(name: string, args: StreamArgs, opts: StreamOptions) {
    super(
      "pulumi-nodejs:dynamic/nats:Stream",
      name,
      {
        stream: args.stream ?? name,
        account: args.account,
        config: args.config,
        policy: args.policy ?? {},
        fleet: args.fleet,
        hosts: args.checked,
        apart: args.checked,
        leader: undefined,
        replicas: undefined,
        created: undefined,
        __provider: PROVIDER,
      },
      opts,
    );
  }
}

const PROVIDER = providerText("stream", "streamProvider");
