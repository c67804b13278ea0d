import type * as pulumi from "@pulumi/pulumi";
import { entriesOf } from "../lib/buckets/hidden-entries.ts";
import type { BucketSettingsArgs } from "./args.ts";
import { BucketEntries } from "./parts/bucket-entries.ts";
import type { StreamHost } from "./stream-host.ts";
import { StreamResource } from "./stream-resource.ts";

/** A bucket's settings, and the cluster that it is in. */
export interface BucketArgs extends BucketSettingsArgs {
  /** The cluster that it is in, a `NatsCluster` or an `ExistingCluster`. */
  readonly cluster: StreamHost;
}

/**
 * A key-value bucket, placed among regions and zones: a stream as NATS's clients make it, with all that holds for
 * `Stream`. With `entries`, the values that belong to the configuration are a resource of their own below it.
 *
 * Declare it in the same synchronous run as its cluster, before the program awaits anything.
 */
export class Bucket extends StreamResource {
  /**
   * @param name of the resource, and of the bucket unless `bucket` gives another one.
   * @param opts as for `Stream`.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: BucketArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { cluster, ...settings } = args;
    super("bucket", name, cluster, () => cluster.admitBucket("bucket", name, settings), opts);
    // The config may hold any value here; planning checks it.
    const entries = entriesOf(settings);
    if (Object.keys(entries).length === 0) return;
    cluster.followPart(new BucketEntries(name, { of: this, entries }));
  }
}
