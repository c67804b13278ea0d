import * as pulumi from "@pulumi/pulumi";
import { isMap } from "../lib/base/records.ts";
import type { ConsumerSettingsArgs, StreamSettingsArgs } from "./args.ts";
import { type PlacedStream, placeOf } from "./cluster-streams.ts";
import type { FollowedConsumer } from "./consumer-host.ts";
import type { FollowedStream } from "./stream-host.ts";

interface DeclaredConsumer {
  readonly settings: ConsumerSettingsArgs;
  resource?: FollowedConsumer;
}

/** A stream that the program has declared. */
interface DeclaredStream {
  /** Its name in the settings: used in errors, in the roster and in outputs. */
  readonly key: string;
  readonly settings: StreamSettingsArgs;
  resource?: FollowedStream;
  /** Its consumers that have resources, by name on the servers. */
  readonly consumers: Map<string, DeclaredConsumer>;
}

/**
 * The streams that a program declares in its cluster's args or as separate resources. It collects them until the
 * cluster is planned.
 */
export class DeclaredStreams {
  readonly #cluster: string;
  /** By resource name. */
  readonly #streams = new Map<string, DeclaredStream>();
  #isClosed = false;

  /** @param cluster name of the cluster's resource, for error messages. */
  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Adds a stream of the cluster's args before its resource is created. The resource name may differ from the key. */
  announce(name: string, key: string, settings: StreamSettingsArgs): void {
    this.#streams.set(name, { key, settings, consumers: new Map() });
  }

  /**
   * Adds a stream whose resource is being created.
   *
   * @returns its name in the settings.
   * @throws pulumi.RunError if the name is taken, or if the cluster is planned already.
   */
  declare(name: string, settings: StreamSettingsArgs): string {
    if (this.#isClosed) {
      throw new pulumi.RunError(
        `Stream ${name}: cluster ${this.#cluster} is planned already, with all the streams that were declared until then.\nDeclare it in the same go as its cluster, before the program awaits anything, and outside of \`apply\`.`,
      );
    }
    const known = this.#streams.get(name);
    if (known && !known.resource) return known.key;
    if (this.#all.some(({ key }) => key === name)) {
      throw new pulumi.RunError(
        `Stream ${name}: cluster ${this.#cluster} has one of that name already.\nGive it another one; \`stream\` is what it is called on the servers.`,
      );
    }
    this.#streams.set(name, { key: name, settings, consumers: new Map() });
    return name;
  }

  /** Links a declared stream to its resource. */
  follow(name: string, resource: FollowedStream): void {
    const declared = this.#streams.get(name);
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
    const declared = this.#streams.get(stream);
    if (!declared) throw new Error(`There is no stream ${stream}.`);
    if (declared.consumers.has(name)) {
      throw new pulumi.RunError(
        `Consumer ${name}: stream ${declared.key} has one of that name already.\nGive it another one; \`consumer\` is what it is called on the servers.`,
      );
    }
    declared.consumers.set(name, { settings });
    return declared.key;
  }

  /** Links a declared consumer to its resource. */
  followConsumer(stream: string, name: string, resource: FollowedConsumer): void {
    const declared = this.#streams.get(stream)?.consumers.get(name);
    if (declared) declared.resource = resource;
  }

  /** Ends the collection. @returns the settings of all streams, by key. */
  close(): Readonly<Record<string, StreamSettingsArgs>> {
    this.#isClosed = true;
    return Object.fromEntries(this.#all.map((declared) => [declared.key, withConsumers(declared)]));
  }

  get keys(): readonly string[] {
    return this.#all.map(({ key }) => key);
  }

  /** Keys of the streams that have resources: none has where nodes come first, see cli/pulumi/checkpoints.mjs. */
  get madeKeys(): ReadonlySet<string> {
    return new Set(this.#all.flatMap(({ key, resource }) => (resource ? [key] : [])));
  }

  /** The resources of streams and consumers. */
  get resources(): readonly pulumi.Resource[] {
    return this.#all.flatMap(({ resource, consumers }) => [
      ...(resource ? [resource] : []),
      ...followedIn(consumers).values(),
    ]);
  }

  /** Where the streams live, by key. @param goesByPlan see {@link placeOf}. */
  placements(goesByPlan: boolean): Readonly<Record<string, PlacedStream>> {
    const places = this.#all.flatMap(({ key, settings, resource, consumers }) => {
      if (!resource) return [];
      const named = (settings.stream ?? key) === key ? {} : { stream: settings.stream };
      return [
        [key, { ...named, ...placeOf(resource, followedIn(consumers), goesByPlan) }] as const,
      ];
    });
    return Object.fromEntries(places);
  }

  get #all(): readonly DeclaredStream[] {
    return [...this.#streams.values()];
  }
}

/** A stream's settings, with all of its consumers that are declared. */
function withConsumers({ settings, consumers }: DeclaredStream): StreamSettingsArgs {
  if (consumers.size === 0) return settings;
  // The config may hold any value here; planning checks it.
  const own = isMap(settings.consumers) ? settings.consumers : {};
  const declared = [...consumers].map(([name, consumer]) => [name, consumer.settings] as const);
  return { ...settings, consumers: { ...own, ...Object.fromEntries(declared) } };
}

/** The consumers whose resources are there, by name on the servers. */
function followedIn(consumers: DeclaredStream["consumers"]): ReadonlyMap<string, FollowedConsumer> {
  const followed = [...consumers].flatMap(([name, { resource }]) =>
    resource ? [[name, resource] as const] : [],
  );
  return new Map(followed);
}
