/** The consumers that a stream's settings have: their schema, and how they become a part of its plan. */
import { z } from "zod";
import type { Problem } from "../base/errors.ts";
import { formatDuration } from "../base/quantities.ts";
import { countOf } from "../base/wording.ts";
import { type StreamSettings, streamSchema } from "../streams/stream-config.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { subjectsOverlap } from "../streams/subjects.ts";
import {
  type ConsumerPlan,
  type ConsumerSettings,
  compileConsumer,
  consumerSettingsSchema,
} from "./consumer-config.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";
import type { ConsumerBounds } from "./consumer-limits.ts";
import { findRivals } from "./work-queue.ts";

/** One stream's settings with those of its consumers, parsed. */
export type StreamWithConsumers = StreamSettings & {
  readonly consumers?: Readonly<Record<string, ConsumerSettings>>;
};

/** As `streamSettingsSchema`, with consumers by name. */
export const streamWithConsumersSchema = streamSchema
  .extend({
    consumers: z
      .record(z.string(), consumerSettingsSchema)
      .optional()
      .describe("Its durable consumers, by name. Default: none."),
  })
  // TypeScript can't infer the type, as the shape is computed from the table.
  .meta(streamSchema.meta() ?? {}) as z.ZodType<StreamWithConsumers>;

/** The consumers of a stream. */
export interface CompiledConsumers {
  readonly consumers: readonly ConsumerPlan[];
  /** Their paths are relative to the stream, e.g. `consumers.worker.ackWait`. */
  readonly problems: readonly Problem[];
  /** Warnings for users, one sentence each; not errors. */
  readonly warnings: readonly string[];
}

/** Compiles the consumers of a stream, each by itself and all together. */
export function compileConsumers(
  settings: Readonly<Record<string, ConsumerSettings>>,
  stream: StreamConfig,
  bounds: ConsumerBounds,
): CompiledConsumers {
  const compiled = Object.entries(settings).map(([name, consumer]) =>
    compileConsumer(name, consumer, stream, bounds),
  );
  const configs = compiled.map(({ config }) => config);
  return {
    consumers: compiled.map(({ problems: _, ...plan }) => plan),
    problems: [
      ...compiled.flatMap(({ name, problems }) =>
        problems.map((problem) => ({ ...problem, path: consumerPath(name, problem.path) })),
      ),
      ...findRivals(configs, stream).map(({ name, problem }) => ({
        ...problem,
        path: consumerPath(name, problem.path),
      })),
      ...tooMany(compiled.length, stream),
    ],
    warnings: configs.flatMap((config) => warningsOf(config, stream)),
  };
}

/** The path of a consumer's setting, relative to its stream. Its name is the path of the consumer itself. */
function consumerPath(name: string, setting: string): string {
  return setting === "name" ? `consumers.${name}` : `consumers.${name}.${setting}`;
}

function tooMany(count: number, { max_consumers: most = -1 }: StreamConfig): Problem[] {
  if (most < 1 || count <= most) return [];
  return [
    {
      path: "maxConsumers",
      message: `${most} is less than the ${countOf(count, "consumer")} that the settings have`,
      fix: "raise it, or take consumers out",
    },
  ];
}

function warningsOf(config: ConsumerConfig, stream: StreamConfig): string[] {
  const { name, inactive_threshold: idle = 0, mem_storage: inMemory } = config;
  const filters = [
    ...(config.filter_subjects ?? []),
    ...(config.filter_subject ? [config.filter_subject] : []),
  ];
  const { subjects = [], mirror, sources, subject_transform: transform } = stream;
  const isOpen = mirror !== undefined || sources !== undefined || transform !== undefined;
  const empty = isOpen
    ? []
    : filters.filter((filter) => !subjects.some((each) => subjectsOverlap(each, filter)));
  return [
    ...empty.map(
      (filter) => `consumer ${name} gets nothing by "${filter}": the stream takes no such subject`,
    ),
    ...(idle > 0
      ? [
          `consumer ${name} is deleted by the servers, with where it stands, once nobody has used it for ${formatDuration(idle)} (inactiveThreshold)`,
        ]
      : []),
    ...(inMemory
      ? [`consumer ${name} loses where it stands once all its servers are down (memoryStorage)`]
      : []),
  ];
}
