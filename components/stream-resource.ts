import * as pulumi from "@pulumi/pulumi";
import type { StreamConfig } from "../lib/streams/stream-fields.ts";
import { providerText } from "./dynamic.ts";
import type { JetStreamProvider } from "./parts/jetstream-provider.ts";
import { allOf, refuseStreamOptions } from "./resource-options.ts";
import type { StreamHost, StreamKind, StreamStage } from "./stream-host.ts";

/** A stream on the servers, whatever the program declares it as. */
export abstract class StreamResource extends pulumi.CustomResource {
  /** Account that it belongs to. */
  declare readonly account: pulumi.Output<string>;
  /** Its stream's config as requested from the servers, with the field names of NATS's JSON API. */
  declare readonly config: pulumi.Output<StreamConfig>;
  /** Planned hosts of the replicas; more hosts than replicas if the server chooses among them. */
  declare readonly hosts: pulumi.Output<string[]>;
  /** Host that led it when Pulumi last looked. */
  declare readonly leader: pulumi.Output<string>;
  /** Hosts that held a replica when Pulumi last looked, the leader's among them, sorted. */
  declare readonly replicas: pulumi.Output<string[]>;
  /** When it was created, RFC 3339. */
  declare readonly created: pulumi.Output<string>;
  readonly jetStream: JetStreamProvider;

  /**
   * @param name of the resource.
   * @param admit takes it into the cluster's plan, once its options are known to be right.
   * @param opts without `provider`, which is the cluster's. By default the cluster is its parent, and the deletion of
   * a `NatsCluster` includes the stream.
   * @throws pulumi.RunError
   */
  protected constructor(
    kind: StreamKind,
    name: string,
    cluster: StreamHost,
    admit: () => Promise<StreamStage>,
    opts: pulumi.CustomResourceOptions,
  ) {
    refuseStreamOptions(TYPES[kind], name, opts);
    const stage = admit();
    const stageOf = <Value>(pick: (stage: StreamStage) => pulumi.Input<Value>) =>
      pulumi.output(stage.then(pick));
    // A promise and not an output: for unknown values, the SDK (3.259, containsUnknowns in output.js) walks through
    // everything that an output contains, again and again, and from these resources through all others and their
    // outputs.
    const ready = stage.then(({ after }) => [...after]);
    super(
      `pulumi-nodejs:dynamic/nats:${TYPES[kind]}`,
      name,
      {
        stream: stageOf(({ plan }) => plan.name),
        account: stageOf(({ plan }) => plan.account),
        config: stageOf(({ plan }) => plan.config),
        policy: stageOf(({ plan }) => plan.policy),
        fleet: stageOf(({ fleet }) => fleet),
        hosts: stageOf(({ checked }) => checked),
        apart: stageOf(({ checked }) => checked),
        leader: undefined,
        replicas: undefined,
        created: undefined,
        __provider: PROVIDER,
      },
      {
        parent: cluster,
        // A destroyed cluster takes its streams along, even if it no longer answers.
        ...(cluster.lifespan ? { deletedWith: cluster.lifespan } : {}),
        ...opts,
        provider: cluster.jetStream,
        // The cluster's last steps wait for its streams, so a dependency on the whole cluster would be circular.
        dependsOn:
          opts.dependsOn === undefined
            ? ready
            : allOf(
                ready,
                allOf(opts.dependsOn).apply((given) => given.filter((each) => each !== cluster)),
              ),
      },
    );
    cluster.follow(kind, name, this);
    this.jetStream = cluster.jetStream;
  }
}

/** What Pulumi shows as their types. */
const TYPES = {
  stream: "Stream",
  bucket: "Bucket",
  objectStore: "ObjectStore",
} as const satisfies Readonly<Record<StreamKind, string>>;

const PROVIDER = providerText("stream", "streamProvider");
