/** The settings of key-value buckets and object stores: what users write, and what it is once parsed. */
import { z } from "zod";
import { PASSWORD_PLACEHOLDER } from "../accounts/hidden-passwords.ts";
import { describeField, fieldSchema, fieldShape, type SettingsOf } from "../base/field-settings.ts";
import type { FieldTable } from "../base/field-table.ts";
import { textSchema } from "../base/schemas.ts";
import { changeWords, type PlacementSettings, placementSchema } from "../streams/stream-config.ts";
import { POLICY_SHAPE, type PolicySettings } from "../streams/stream-policy.ts";
import {
  BUCKET_FIELDS,
  type BucketFields,
  OBJECT_STORE_FIELDS,
  type ObjectStoreFields,
} from "./bucket-fields.ts";
import { BUCKET_KINDS, type BucketKind } from "./bucket-kinds.ts";

/** What buckets and object stores have in common, parsed. */
interface CommonSettings extends PolicySettings {
  readonly placement?: PlacementSettings;
  readonly replicas: number;
  /** Default: the first account. */
  readonly account?: string;
}

/** One bucket's settings, parsed. */
export type BucketSettings = Omit<SettingsOf<BucketFields>, "placement" | "replicas"> &
  CommonSettings & {
    /** Its name for clients. Default: its key. */
    readonly bucket?: string;
    /** Keys alone: each value is replaced by a placeholder. */
    readonly entries?: Readonly<Record<string, typeof PASSWORD_PLACEHOLDER>>;
  };

/** One object store's settings, parsed. */
export type ObjectStoreSettings = Omit<SettingsOf<ObjectStoreFields>, "placement" | "replicas"> &
  CommonSettings & {
    /** Its name for clients. Default: its key. */
    readonly objectStore?: string;
  };

/** The shape of what both kinds have. */
function commonShape(kind: BucketKind, fields: FieldTable, holds: string) {
  const { noun } = BUCKET_KINDS[kind];
  const changes = changeWords(noun);
  return {
    ...fieldShape(fields, changes),
    placement: placementSchema()
      .optional()
      .describe(describeField(BUCKET_FIELDS.placement, changes)),
    replicas: fieldSchema(BUCKET_FIELDS.replicas)
      .default(1)
      .describe(describeField(BUCKET_FIELDS.replicas, changes)),
    [kind]: textSchema(`the name of ${noun === "bucket" ? "a bucket" : "an object store"}`)
      .optional()
      .describe(
        `Its name for clients, where each account may have one of the same name. Default: its name here. A change: refused.`,
      ),
    account: textSchema("the name of an account")
      .optional()
      .describe("The account that it is in. Default: the first. A change: refused."),
    leader: POLICY_SHAPE.leader,
    adopt: POLICY_SHAPE.adopt.describe(
      `Adopt one of that name that is there: it gets these settings and keeps its ${holds}. Default: \`false\`.`,
    ),
    allowDataLoss: POLICY_SHAPE.allowDataLoss.describe(
      `${holds.replace(/^./, (letter) => letter.toUpperCase())} may be deleted where a change, or its removal, can't be without; those in memory also by restarts. Default: \`false\`.`,
    ),
    recreate: POLICY_SHAPE.recreate.describe(
      `Recreate it where the server can't change it, and keep its ${holds} by way of a copy. Default: never.`,
    ),
  };
}

const entriesSchema = z
  .record(
    z.string(),
    // Neither error has the value, which may be a secret.
    z.literal(PASSWORD_PLACEHOLDER, {
      error: "is not text; put it in quotes",
    }),
    { error: "is not a map of keys to values" },
  )
  .optional()
  .describe(
    "Values that belong to the configuration, by key; any of them may be a secret. Each `up` writes those that are missing or differ, and deletes none: what is taken out here stays in the bucket. Default: none.",
  );

/** Parses the settings of one bucket: one for each field of {@link BUCKET_FIELDS}, its policy, and its entries. */
export const bucketSettingsSchema = z
  .strictObject({ ...commonShape("bucket", BUCKET_FIELDS, "values"), entries: entriesSchema })
  // TypeScript can't infer the type, as the shape is computed from the table.
  .meta({
    title: "BucketSettings",
    description:
      "A key-value bucket: how it keeps values, where it is to live, and how an update may deal with it.",
  }) as unknown as z.ZodType<BucketSettings>;

/** Parses the settings of one object store: one for each field of {@link OBJECT_STORE_FIELDS}, and its policy. */
export const objectStoreSettingsSchema = z
  .strictObject(commonShape("objectStore", OBJECT_STORE_FIELDS, "objects"))
  // TypeScript can't infer the type, as the shape is computed from the table.
  .meta({
    title: "ObjectStoreSettings",
    description:
      "An object store: how it keeps objects, where it is to live, and how an update may deal with it.",
  }) as unknown as z.ZodType<ObjectStoreSettings>;
