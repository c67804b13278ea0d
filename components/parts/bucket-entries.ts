import * as pulumi from "@pulumi/pulumi";
import { BUCKET_KINDS } from "../../lib/buckets/bucket-kinds.ts";
import { providerText } from "../dynamic.ts";
import type { StreamResource } from "../stream-resource.ts";

export interface BucketEntriesArgs {
  /** The resource of the bucket. */
  readonly of: StreamResource;
  /** Values by key: text. All of them are kept as secrets. */
  readonly entries: Readonly<Record<string, unknown>>;
}

/**
 * The entries of a bucket that belong to the configuration. Those that are missing or differ are written, and none is
 * deleted: not the others in the bucket, nor those that leave the settings.
 */
export class BucketEntries extends pulumi.CustomResource {
  constructor(name: string, { of, entries }: BucketEntriesArgs) {
    super(
      "pulumi-nodejs:dynamic/nats:BucketEntries",
      name,
      {
        account: of.account,
        bucket: of.config.apply(({ name }) => name.slice(BUCKET_KINDS.bucket.prefix.length)),
        entries: pulumi.secret(entries),
        maxValueSize: of.config.apply(({ max_msg_size: most = -1 }) => most),
        __provider: PROVIDER,
      },
      {
        parent: of,
        // They go with their bucket.
        deletedWith: of,
        provider: of.jetStream,
        dependsOn: [of],
        additionalSecretOutputs: ["entries"],
      },
    );
  }
}

const PROVIDER = providerText("bucket-entries", "bucketEntriesProvider");
