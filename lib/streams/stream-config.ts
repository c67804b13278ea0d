import { z } from "zod";
import type { Problem } from "../base/errors.ts";
import {
  type ChangeWords,
  describeField,
  fieldSchema,
  fieldShape,
  type SettingsOf,
  toApi,
} from "../base/field-settings.ts";
import { expected, listNames, textSchema } from "../base/schemas.ts";
import { type Shape, withoutWitnesses } from "../topology/shape.ts";
import { type Across, acrossProblems, acrossTag, type Estate } from "./across.ts";
import {
  type ApiPlacement,
  STREAM_FIELDS,
  type StreamConfig,
  type StreamFields,
} from "./stream-fields.ts";
import { type KeyedStream, streamKey, streamPath } from "./stream-name.ts";
import { POLICY_SHAPE, type PolicySettings } from "./stream-policy.ts";
import { validateConfig } from "./stream-rules.ts";
import { SubjectTree } from "./subjects.ts";

/**
 * Where a stream's replicas should be: in one region, in some zones of each of several regions, or on servers that have
 * all of these tags (`!tag`: don't have it). `cluster` alone allows all servers of that cluster.
 */
export interface PlacementSettings {
  readonly region?: string;
  readonly across?: Across;
  readonly tags?: readonly string[];
  readonly cluster?: string;
}

/** One stream's settings, parsed. */
export type StreamSettings = Omit<SettingsOf<StreamFields>, "placement"> &
  PolicySettings & {
    readonly placement?: PlacementSettings;
    readonly replicas: number;
    /** Its name on the servers. Default: its key. */
    readonly stream?: string;
    /** Default: the first account. */
    readonly account?: string;
  };

/** Words for what an update does to an existing stream, or what else the noun says that it is. */
export function changeWords(noun: string): ChangeWords {
  const anew = `only as a new ${noun}, by \`recreate\` or \`allowDataLoss\``;
  return {
    "in place": "in place",
    moves: "replicas move, in the background",
    scales: "replicas come or go, in the background",
    "only on": `can be switched on; off again ${anew}`,
    "remove only": `can be removed; set or changed ${anew}`,
    never: `${anew}; refused otherwise`,
  };
}

const CHANGES = changeWords("stream");

/** The schema of {@link streamSettingsSchema}, to be extended by what stands above this folder. */
export const streamSchema = z
  .strictObject({
    ...fieldShape(STREAM_FIELDS, CHANGES),
    ...POLICY_SHAPE,
    stream: textSchema("the name of a stream")
      .optional()
      .describe(
        "Its name on the servers, where each account may have a stream of the same name. Default: its name here. A change: refused.",
      ),
    account: textSchema("the name of an account")
      .optional()
      .describe("The account that it is in. Default: the first. A change: refused."),
    placement: placementSchema()
      .optional()
      .describe(describeField(STREAM_FIELDS.placement, CHANGES)),
    replicas: fieldSchema(STREAM_FIELDS.replicas)
      .default(1)
      .describe(describeField(STREAM_FIELDS.replicas, CHANGES)),
  })
  .meta({
    title: "StreamSettings",
    description:
      "A stream: the fields of its config, where it is to live, and how an update may deal with it.",
  });

/**
 * Parses the settings of one stream: one for each field of nats-server's `StreamConfig`, where `stream` is its name,
 * and the settings of {@link PolicySettings}. Unknown settings are refused. `replicas` defaults to 1; other absent
 * settings stay absent, and the server fills in its defaults.
 */
// TypeScript can't infer the type, as the shape is computed from the table.
export const streamSettingsSchema = streamSchema as unknown as z.ZodType<StreamSettings>;

/** The result of compiling a stream's settings. Use `config` only if there are no problems. */
export interface CompiledStream {
  readonly config: StreamConfig;
  readonly problems: readonly Problem[];
}

/**
 * Converts a stream's settings to the API's config, with regions and zones as tags, and reports what the server would
 * refuse.
 *
 * @param key the stream's key in the settings.
 * @param estate the cluster, on which `xr:` tags depend.
 * @returns every problem found, its path below `streams.<key>`.
 */
export function compileStream(
  key: string,
  settings: StreamSettings,
  estate: Estate,
): CompiledStream {
  const { placement, stream: name = key, ...rest } = settings;
  const compiled = toApi<StreamFields>(STREAM_FIELDS, rest);
  const subjects = compiled.mirror || compiled.sources ? {} : { subjects: [name] };
  const place = placement ? { placement: compilePlacement(placement, estate) } : {};
  const config = { name, ...subjects, ...compiled, ...place };
  const problems = [
    ...(placement ? checkPlaces(placement, settings.replicas, estate) : []),
    ...validateConfig(config),
  ];
  return {
    config,
    problems: problems.map(({ path, ...problem }) => {
      const setting = path === "name" && settings.stream !== undefined ? "stream" : path;
      return { path: streamPath({ key }, setting), ...problem };
    }),
  };
}

/** Reports keys of the settings that mean the same stream (account and name) as another key. */
export function findDuplicateStreams(streams: readonly KeyedStream[]): Problem[] {
  return [...Map.groupBy(streams, streamKey).values()].flatMap((alike) => {
    // Report the keys that set `stream`, as the others have no setting that could be wrong.
    const [first, ...others] = alike.toSorted(
      (a, b) => Number(b.key === b.name) - Number(a.key === a.name),
    );
    if (first === undefined) return [];
    return others.map(({ key, name, account }) => ({
      path: streamPath({ key }, "stream"),
      message: `stream ${name} of account ${account} is ${streamPath(first)} already`,
      fix: "give one of them another stream or account, or take one out",
    }));
  });
}

/** Reports each pair of streams of one account whose subjects overlap: the server refuses that (error 10065). */
export function findOverlaps(
  streams: readonly (Pick<KeyedStream, "key" | "account"> & {
    readonly subjects: readonly string[];
  })[],
): Problem[] {
  const byAccount = new Map<
    string,
    SubjectTree<{ readonly key: string; readonly place: number }>
  >();
  const claims = streams.flatMap(({ key, account, subjects }, place) =>
    subjects.map((subject) => ({ key, account, subject, place })),
  );
  for (const { account, subject, ...owner } of claims) {
    const tree = byAccount.get(account) ?? new SubjectTree();
    byAccount.set(account, tree.add(subject, owner));
  }
  return claims.flatMap(({ key, account, subject, place }) =>
    (byAccount.get(account)?.overlapping(subject) ?? [])
      .filter(({ owner }) => owner.place > place)
      .toSorted((a, b) => a.owner.place - b.owner.place)
      .map(({ owner, subject: rival }) => ({
        path: streamPath(owner, "subjects"),
        message: `"${rival}" overlaps with "${subject}" of stream ${key}`,
        fix: "a subject belongs to one stream; narrow one of them",
      })),
  );
}

function compilePlacement(
  { region, across, tags, cluster }: PlacementSettings,
  estate: Estate,
): ApiPlacement {
  const compiled =
    region !== undefined
      ? [estate.tags.region(region)]
      : across !== undefined
        ? [acrossTag(across, estate)].filter((tag) => tag !== undefined)
        : tags;
  return { ...(cluster ? { cluster } : {}), ...(compiled ? { tags: compiled } : {}) };
}

function checkPlaces(
  { region, across = {} }: PlacementSettings,
  replicas: number,
  estate: Estate,
): Problem[] {
  const { shape } = estate;
  const unfit = [
    ...(region === undefined ? [] : unfitName("placement.region", "region", region, shape)),
    ...Object.entries(across).flatMap(([key, zone]) => {
      const found = shape.find(({ name }) => name === key);
      const ofRegion = unfitName("placement.across", "region", key, shape);
      return ofRegion.length > 0 || !found || typeof zone === "number"
        ? ofRegion
        : unfitName(`placement.across.${key}`, "zone", zone, [found]);
    }),
  ];
  return unfit.length > 0 ? unfit : acrossProblems(across, replicas, estate);
}

/** Reports the name of a region or zone that there isn't, or that has only witnesses. */
function unfitName(path: string, kind: "region" | "zone", name: string, shape: Shape): Problem[] {
  const namesIn = (some: Shape) =>
    kind === "region" ? some.map((each) => each.name) : zoneNames(some);
  const fit = namesIn(withoutWitnesses(shape));
  if (fit.includes(name)) return [];
  const message = namesIn(shape).includes(name)
    ? `"${name}" has only witnesses, which take no streams`
    : `there is no ${kind} "${name}"`;
  return [{ path, message, fix: `use ${listNames(fit)}` }];
}

function zoneNames(shape: Shape): string[] {
  return shape.flatMap(({ zones }) => zones.map(({ name }) => name));
}

/** The schema of where something is to live. */
export function placementSchema(): z.ZodType {
  const name = textSchema("a name");
  const { cluster, tags } = STREAM_FIELDS.placement.fields;
  return z
    .strictObject({
      region: name.optional().describe("Servers of one region."),
      across: z
        .record(z.string(), z.union([z.int().min(1).max(5), name]), {
          error: expected("a map of region to zone, or to number of zones"),
        })
        .optional()
        .describe(
          'One zone in each of several regions, e.g. `{ rg1: "az1", rg2: "az2" }`, or as many as a number says, e.g. `{ rg1: 2, rg2: 1 }`.',
        ),
      tags: z
        .array(textSchema("a tag"), { error: expected("a list of tags") })
        .optional()
        .describe(tags.description),
      cluster: name.optional().describe(cluster.description),
    })
    .superRefine((placement, context) => {
      const given = Object.keys(placement);
      const ways = given.filter((key) => key !== "cluster");
      if (given.length === 0 || ways.length > 1) {
        const message = `${ways.length > 1 ? `${ways.join(" and ")} exclude each other` : "says nothing"}; use one of region, across, tags`;
        context.addIssue({ code: "custom", message });
      }
    })
    .meta({
      title: "Placement",
      description: "Where a stream is to live: one of region, across and tags; and the cluster.",
    });
}
