import { z } from "zod";
import type { Problem } from "../base/errors.ts";
import { type ChangeWords, fieldShape, type SettingsOf, toApi } from "../base/field-settings.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { CONSUMER_FIELDS, type ConsumerConfig, type ConsumerFields } from "./consumer-fields.ts";
import { type ConsumerBounds, withLimits } from "./consumer-limits.ts";
import { validateConsumer } from "./consumer-rules.ts";

/** Settings of a consumer besides its config: what an `up` may do with it. nats-server gets none of them. */
export interface ConsumerPolicy {
  /** Whether to adopt an existing consumer of that name and update it to these settings. Absent: no. */
  readonly adopt?: true;
  /**
   * Whether it may be deleted, or deleted and made anew, together with where it stands and with messages that only it
   * waits for. Absent: no.
   */
  readonly allowDataLoss?: true;
  /** Make it anew where the server refuses a change, so that it goes on where the old one stood. Absent: never. */
  readonly recreate?: "atAckFloor";
}

/** One consumer's settings, parsed. */
export type ConsumerSettings = SettingsOf<ConsumerFields> & {
  readonly adopt?: boolean;
  readonly allowDataLoss?: boolean;
  readonly recreate?: "atAckFloor";
};

const ANEW = "only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise";

/** Words for what an update does to an existing consumer. */
const CHANGES: ChangeWords = {
  "in place": "in place",
  moves: ANEW,
  scales: "replicas come or go, in the background",
  "only on": ANEW,
  "remove only": ANEW,
  never: ANEW,
};

/** Parses the settings of one consumer: one for each field of {@link CONSUMER_FIELDS}, and its policy. */
export const consumerSettingsSchema = z
  .strictObject({
    ...fieldShape(CONSUMER_FIELDS, CHANGES),
    adopt: z
      .boolean()
      .optional()
      .describe(
        "Adopt a consumer of that name that is there: it gets these settings and stays where it is. Default: `false`.",
      ),
    allowDataLoss: z
      .boolean()
      .optional()
      .describe(
        "It may be deleted, also to be made anew, with where it stands, and with the messages that a stream with `retention: interest` keeps for it alone. Default: `false`.",
      ),
    recreate: z
      .literal("atAckFloor", { error: 'must be "atAckFloor"' })
      .optional()
      .describe(
        "Recreate the consumer where the server can't change it: it goes on with the first message that isn't acknowledged. Default: never.",
      ),
  })
  // TypeScript can't infer the type, as the shape is computed from the table.
  .meta({
    title: "ConsumerSettings",
    description:
      "A durable consumer: the fields of its config, and how an update may deal with it.",
  }) as z.ZodType<ConsumerSettings>;

/** A consumer of a plan. */
export interface ConsumerPlan {
  readonly name: string;
  readonly config: ConsumerConfig;
  readonly policy: ConsumerPolicy;
}

/**
 * Converts a consumer's settings to the API's config, and reports what the server would refuse.
 *
 * @param stream its stream's config.
 * @returns problems whose paths are relative to the consumer.
 */
export function compileConsumer(
  name: string,
  { adopt, allowDataLoss, recreate, ...settings }: ConsumerSettings,
  stream: StreamConfig,
  bounds: ConsumerBounds = {},
): ConsumerPlan & { readonly problems: readonly Problem[] } {
  const compiled = toApi<ConsumerFields>(CONSUMER_FIELDS, settings);
  const config = withLimits({ name, ...compiled }, stream, bounds);
  return {
    name,
    config,
    policy: {
      ...(adopt ? { adopt } : {}),
      ...(allowDataLoss ? { allowDataLoss } : {}),
      ...(recreate ? { recreate } : {}),
    },
    problems: validateConsumer(config, stream, bounds),
  };
}
