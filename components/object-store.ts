import type * as pulumi from "@pulumi/pulumi";
import type { ObjectStoreSettingsArgs } from "./args.ts";
import type { StreamHost } from "./stream-host.ts";
import { StreamResource } from "./stream-resource.ts";

/** An object store's settings, and the cluster that it is in. */
export interface ObjectStoreArgs extends ObjectStoreSettingsArgs {
  /** The cluster that it is in, a `NatsCluster` or an `ExistingCluster`. */
  readonly cluster: StreamHost;
}

/**
 * An object store, placed among regions and zones: a stream as NATS's clients make it, with all that holds for `Stream`.
 *
 * Declare it in the same synchronous run as its cluster, before the program awaits anything.
 */
export class ObjectStore extends StreamResource {
  /**
   * @param name of the resource, and of the object store unless `objectStore` gives another one.
   * @param opts as for `Stream`.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: ObjectStoreArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { cluster, ...settings } = args;
    super(
      "objectStore",
      name,
      cluster,
      () => cluster.admitBucket("objectStore", name, settings),
      opts,
    );
  }
}
