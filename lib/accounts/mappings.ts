/** Subject mappings of accounts: under which subjects the servers deliver what clients publish. */
import { z } from "zod";
import type { ConfigBlock, ConfigValue } from "../base/conf-format.ts";
import { value } from "../base/schemas.ts";
import { whyNoTransform } from "../streams/subject-transform.ts";
import { isValidSubject, subjectsOverlap } from "../streams/subjects.ts";

/** One of several destinations of a subject. */
export interface MappingDestination {
  /** May refer to the wildcards of the mapped subject: `$1`, or a function such as `{{partition(5,1)}}`. */
  readonly destination: string;
  /** The share of messages that get this one, in percent. */
  readonly weight: number;
  /** The cluster in which a message has to be published for this one. Default: any. */
  readonly cluster?: string;
}

/** Destinations by mapped subject. What is left to 100 percent keeps its subject. */
export type Mappings = Readonly<Record<string, string | readonly MappingDestination[]>>;

/** Subjects of the stack's own requests and of their replies. */
const OWN_SUBJECTS = ["$JS.API.>", "_INBOX.>"];
/** The percentage of all messages. */
const ALL = 100;

const destination = z
  .strictObject({
    destination: z
      .string()
      .describe("The subject there, with `$1` and so on for wildcards, or functions."),
    weight: value(
      (input) => Number.isSafeInteger(input) && (input as number) >= 0 && (input as number) <= ALL,
      `a whole number from 0 to ${ALL}`,
      { type: "integer", minimum: 0, maximum: ALL },
    ).describe("The share of messages that get it, in percent."),
    cluster: z
      .string()
      .optional()
      .describe("The cluster in which a message has to be published for it. Default: any."),
  })
  .meta({
    title: "Mapping",
    description: "One of several destinations of a subject.",
  }) as unknown as z.ZodType<MappingDestination>;

/** Parses an account's mappings, and refuses what the server does (nats-server 2.15, `AddWeightedMappings`). */
export const mappingsSchema = (
  z.record(
    z.string(),
    z.union([z.string(), z.array(destination).min(1, { error: "is empty; leave it out" })], {
      error: "must be a subject, or a list of destinations",
    }),
  ) as unknown as z.ZodType<Mappings>
).superRefine((mappings, context) => {
  const sources = Object.keys(mappings);
  for (const [index, source] of sources.entries()) {
    const message =
      whyNoSource(source, sources.slice(0, index)) ?? whyNoDestinations(source, mappings[source]);
    if (message !== undefined) context.addIssue({ code: "custom", path: [source], message });
  }
});

/** The server tries mappings in no order, so that each message may match one of them at most. */
function whyNoSource(source: string, others: readonly string[]): string | undefined {
  // The server doesn't unescape keys of its config.
  if (!isValidSubject(source) || /["\\\p{C}]/u.test(source)) return "is not a subject";
  const own = OWN_SUBJECTS.find((each) => subjectsOverlap(each, source));
  if (own !== undefined) return `would map the stack's own requests, ${own}; map less`;
  const other = others.find((each) => subjectsOverlap(each, source));
  return other && `overlaps with "${other}", and which of them holds is left to chance`;
}

function whyNoDestinations(
  source: string,
  given: Mappings[string] | undefined,
): string | undefined {
  const all = typeof given === "string" ? [{ destination: given, weight: ALL }] : (given ?? []);
  for (const { destination } of all) {
    const reason = whyNoTransform(source, destination);
    if (reason !== undefined) return `"${destination}" ${reason}`;
  }
  const twice = all.find(
    ({ destination }, index) => all.findIndex((each) => each.destination === destination) < index,
  );
  if (twice) return `lists "${twice.destination}" twice`;
  const clusters = [
    ...Map.groupBy(all, ({ cluster = "" }: MappingDestination) => cluster).values(),
  ];
  const sums = clusters.map((group) => group.reduce((sum, { weight }) => sum + weight, 0));
  const most = Math.max(...sums);
  return most > ALL ? `has weights of ${most} percent in all; give each its share` : undefined;
}

/** The value of `mappings` in an account's config. */
export function mappingsBlock(mappings: Mappings): ConfigBlock {
  return Object.fromEntries(
    Object.entries(mappings).map(([source, given]): [string, ConfigValue] => [
      source,
      typeof given === "string" ? given : given.map((each) => ({ ...each })),
    ]),
  );
}
