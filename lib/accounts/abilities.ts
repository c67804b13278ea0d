/** What users may do with streams and consumers, said by their names: the setting `can` of a user. */
import { z } from "zod";
import { expected, value } from "../base/schemas.ts";
import { isLiteralSubject } from "../streams/subjects.ts";

/** The lists of {@link Abilities}, each with names of streams, or of streams and consumers. */
export const ABILITIES = ["publish", "consume", "read", "watch"] as const;

export type Ability = (typeof ABILITIES)[number];

/** What a user may do, by names of streams and buckets of its account, and nothing else. */
export interface Abilities {
  /** Streams and buckets that it may publish to. */
  readonly publish?: readonly string[];
  /** Consumers, as `STREAM/consumer`, whose messages it may take and acknowledge. */
  readonly consume?: readonly string[];
  /** Streams and buckets of which it may get single messages. */
  readonly read?: readonly string[];
  /** Streams and buckets that it may follow by consumers of its own, as ordered consumers and watchers are. */
  readonly watch?: readonly string[];
  /** Prefix of the subjects at which it gets answers. Default: `_INBOX_` and its name. */
  readonly inbox?: string;
}

/** What clients call their prefix if they are told of none. */
const COMMON_INBOX = "_INBOX";

/** The prefix of inboxes that are a user's alone: nobody else hears what it is answered. */
export function ownInbox(user: string): string {
  return `${COMMON_INBOX}_${user}`;
}

function names(of: z.ZodType<string>, description: string) {
  return z
    .array(of, { error: expected(`a list of ${description}`) })
    .min(1, { error: "is empty; leave it out" })
    .optional();
}

const streams = names(z.string(), "names of streams");

const consumers = names(
  value(
    (input) => typeof input === "string" && /^[^/]+\/[^/]+$/.test(input),
    "a stream and its consumer, e.g. ORDERS/worker",
    { type: "string" },
  ) as z.ZodType<string>,
  "streams with their consumers",
);

const inbox = value(
  (input) => typeof input === "string" && isLiteralSubject(input) && input.startsWith(COMMON_INBOX),
  `a subject without wildcards that begins with ${COMMON_INBOX}, e.g. ${ownInbox("worker")}`,
  { type: "string" },
) as z.ZodType<string>;

export const abilitiesSchema = z
  .strictObject({
    publish: streams.describe(
      "Streams and buckets that it may publish to: at the subjects of the stream. Default: none.",
    ),
    consume: consumers.describe(
      "Consumers whose messages it may take and acknowledge, e.g. `ORDERS/worker`. Default: none.",
    ),
    read: streams.describe(
      "Streams and buckets of which it may get messages, one by one or in batches, and the state. Default: none.",
    ),
    watch: streams.describe(
      "Streams and buckets that it may follow by consumers that its client makes, as ordered consumers and watchers of buckets are. Default: none.",
    ),
    inbox: inbox
      .optional()
      .describe(
        "Prefix of the subjects at which it is answered; its clients have to be told of it. `_INBOX`: that of clients which are told of none, by which it may hear the answers to others, too. Default: `_INBOX_` and its name.",
      ),
  })
  .refine((given) => ABILITIES.some((ability) => given[ability] !== undefined), {
    error: "names nothing; use publish, consume, read or watch",
  })
  .meta({
    title: "Abilities",
    description:
      "Streams, buckets and consumers that a user may use, by their names in its account. The subjects that this takes follow from them.",
  }) as z.ZodType<Abilities>;
