import * as pulumi from "@pulumi/pulumi";
import { isMap } from "../lib/base/records.ts";
import { BUCKET_KINDS, type BucketKind, streamNameOf } from "../lib/buckets/bucket-kinds.ts";
import type {
  BucketSettingsArgs,
  ConsumerSettingsArgs,
  ObjectStoreSettingsArgs,
  StreamSettingsArgs,
} from "./args.ts";
import type { DeclaredSettings } from "./cluster-args.ts";
import { type PlacedStream, placeOf } from "./cluster-streams.ts";
import type { FollowedConsumer } from "./consumer-host.ts";
import type { FollowedStream, StreamKind } from "./stream-host.ts";

interface DeclaredConsumer {
  readonly settings: ConsumerSettingsArgs;
  resource?: FollowedConsumer;
}

/** The settings of what a program declares, by kind. */
interface SettingsByKind {
  readonly stream: StreamSettingsArgs;
  readonly bucket: BucketSettingsArgs;
  readonly objectStore: ObjectStoreSettingsArgs;
}

/** Something that the program has declared: a stream, or what has one. */
interface Declared {
  readonly kind: StreamKind;
  /** Its name in the settings: used in errors. */
  readonly key: string;
  readonly settings: SettingsByKind[StreamKind];
  resource?: FollowedStream;
  /** Its consumers that have resources, by name on the servers. */
  readonly consumers: Map<string, DeclaredConsumer>;
}

const NOUNS: Readonly<Record<StreamKind, string>> = {
  stream: "Stream",
  bucket: "Bucket",
  objectStore: "ObjectStore",
};

/**
 * The streams, buckets and object stores that a program declares in its cluster's args or as separate resources. It
 * collects them until the cluster is planned.
 */
export class DeclaredStreams {
  readonly #cluster: string;
  /** By kind and resource name. */
  readonly #declared = new Map<string, Declared>();
  readonly #parts: pulumi.Resource[] = [];
  #isClosed = false;

  /** @param cluster name of the cluster's resource, for error messages. */
  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Adds what the cluster's args have before its resource is created. The resource name may differ from the key. */
  announce<Kind extends StreamKind>(
    kind: Kind,
    name: string,
    key: string,
    settings: SettingsByKind[Kind],
  ): void {
    this.#declared.set(placeIn(kind, name), { kind, key, settings, consumers: new Map() });
  }

  /**
   * Adds something whose resource is being created.
   *
   * @returns the key of its stream in the plan.
   * @throws pulumi.RunError if the name is taken, or if the cluster is planned already.
   */
  declare<Kind extends StreamKind>(
    kind: Kind,
    name: string,
    settings: SettingsByKind[Kind],
  ): string {
    if (this.#isClosed) {
      throw new pulumi.RunError(
        `${NOUNS[kind]} ${name}: cluster ${this.#cluster} is planned already, with all the ${PLURALS[kind]} that were declared until then.\nDeclare it in the same go as its cluster, before the program awaits anything, and outside of \`apply\`.`,
      );
    }
    const known = this.#declared.get(placeIn(kind, name));
    if (known && !known.resource) return planKeyOf(known);
    if (this.#of(kind).some(({ key }) => key === name)) {
      throw new pulumi.RunError(
        `${NOUNS[kind]} ${name}: cluster ${this.#cluster} has one of that name already.\nGive it another one; \`${kind}\` is what it is called on the servers.`,
      );
    }
    const declared = { kind, key: name, settings, consumers: new Map() };
    this.#declared.set(placeIn(kind, name), declared);
    return planKeyOf(declared);
  }

  /** Links what is declared to its resource. */
  follow(kind: StreamKind, name: string, resource: FollowedStream): void {
    const declared = this.#declared.get(placeIn(kind, name));
    if (declared) declared.resource = resource;
  }

  /**
   * Adds a consumer whose resource is being created.
   *
   * @param stream name of the stream's resource.
   * @param name of the consumer on the servers.
   * @returns the stream's name in the settings.
   * @throws pulumi.RunError if the stream has one of that name, or if the cluster is planned already.
   */
  declareConsumer(stream: string, name: string, settings: ConsumerSettingsArgs): string {
    if (this.#isClosed) {
      throw new pulumi.RunError(
        `Consumer ${name}: cluster ${this.#cluster} is planned already, with all the consumers that were declared until then.\nDeclare it in the same go as its cluster, before the program awaits anything, and outside of \`apply\`.`,
      );
    }
    const declared = this.#declared.get(placeIn("stream", stream));
    if (!declared) throw new Error(`There is no stream ${stream}.`);
    if (declared.consumers.has(name)) {
      throw new pulumi.RunError(
        `Consumer ${name}: stream ${declared.key} has one of that name already.\nGive it another one; \`consumer\` is what it is called on the servers.`,
      );
    }
    declared.consumers.set(name, { settings });
    return declared.key;
  }

  /** Links a declared consumer to its resource. @param stream name of the stream's resource. */
  followConsumer(stream: string, name: string, resource: FollowedConsumer): void {
    const declared = this.#declared.get(placeIn("stream", stream))?.consumers.get(name);
    if (declared) declared.resource = resource;
  }

  /** Has {@link resources} include a part of something that is declared: a bucket's entries. */
  followPart(part: pulumi.Resource): void {
    this.#parts.push(part);
  }

  /** Ends the collection. @returns the settings of all that is declared, by key. */
  close(): DeclaredSettings {
    this.#isClosed = true;
    const settingsOf = <Kind extends StreamKind>(kind: Kind) =>
      Object.fromEntries(this.#of(kind).map((each) => [each.key, withConsumers(each)])) as Readonly<
        Record<string, SettingsByKind[Kind]>
      >;
    return {
      streams: settingsOf("stream"),
      buckets: settingsOf("bucket"),
      objectStores: settingsOf("objectStore"),
    };
  }

  /** The keys of all that is declared of a kind. */
  keys(kind: StreamKind): readonly string[] {
    return this.#of(kind).map(({ key }) => key);
  }

  /** Keys, in the plan, of the streams that have resources: none has where nodes come first, see cli/pulumi/checkpoints.mjs. */
  get madeKeys(): ReadonlySet<string> {
    return new Set(this.#all.flatMap((each) => (each.resource ? [planKeyOf(each)] : [])));
  }

  /** The resources of all that is declared, and of its parts. */
  get resources(): readonly pulumi.Resource[] {
    const declared = this.#all.flatMap(({ resource, consumers }) => [
      ...(resource ? [resource] : []),
      ...followedIn(consumers).values(),
    ]);
    return [...declared, ...this.#parts];
  }

  /** Where the streams live, by key in the plan. @param goesByPlan see {@link placeOf}. */
  placements(goesByPlan: boolean): Readonly<Record<string, PlacedStream>> {
    const places = this.#all.flatMap((each) => {
      const { resource } = each;
      if (!resource) return [];
      const key = planKeyOf(each);
      const name = streamOf(each);
      const named = name === key ? {} : { stream: name };
      return [
        [key, { ...named, ...placeOf(resource, followedIn(each.consumers), goesByPlan) }] as const,
      ];
    });
    return Object.fromEntries(places);
  }

  get #all(): readonly Declared[] {
    return [...this.#declared.values()];
  }

  #of(kind: StreamKind): readonly Declared[] {
    return this.#all.filter((each) => each.kind === kind);
  }
}

const PLURALS: Readonly<Record<StreamKind, string>> = {
  stream: "streams",
  bucket: `${BUCKET_KINDS.bucket.noun}s`,
  objectStore: `${BUCKET_KINDS.objectStore.noun}s`,
};

function placeIn(kind: StreamKind, name: string): string {
  return `${kind} ${name}`;
}

function planKeyOf({ kind, key }: Declared): string {
  return kind === "stream" ? key : streamNameOf(kind, key);
}

/** The name of its stream on the servers. */
function streamOf({ kind, key, settings }: Declared): string {
  const given: Partial<Record<StreamKind, string | undefined>> = settings as object;
  const name = given[kind] ?? key;
  return kind === "stream" ? name : streamNameOf(kind as BucketKind, name);
}

/** The settings, with all consumers that are declared. */
function withConsumers({ settings, consumers }: Declared): SettingsByKind[StreamKind] {
  if (consumers.size === 0) return settings;
  const { consumers: given }: StreamSettingsArgs = settings as StreamSettingsArgs;
  // The config may hold any value here; planning checks it.
  const own = isMap(given) ? given : {};
  const declared = [...consumers].map(([name, consumer]) => [name, consumer.settings] as const);
  return { ...settings, consumers: { ...own, ...Object.fromEntries(declared) } };
}

/** The consumers whose resources are there, by name on the servers. */
function followedIn(consumers: Declared["consumers"]): ReadonlyMap<string, FollowedConsumer> {
  const followed = [...consumers].flatMap(([name, { resource }]) =>
    resource ? [[name, resource] as const] : [],
  );
  return new Map(followed);
}
