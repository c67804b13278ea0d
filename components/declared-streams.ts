import * as pulumi from "@pulumi/pulumi";
import type { StreamSettingsArgs } from "./args.ts";
import { type PlacedStream, placeOf } from "./cluster-streams.ts";
import type { FollowedStream } from "./stream-host.ts";

/** A stream that the program has declared. */
interface DeclaredStream {
  /** Its name in the settings: used in errors, in the roster and in outputs. */
  readonly key: string;
  readonly settings: StreamSettingsArgs;
  resource?: FollowedStream;
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
    this.#streams.set(name, { key, settings });
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
    this.#streams.set(name, { key: name, settings });
    return name;
  }

  /** Links a declared stream to its resource. */
  follow(name: string, resource: FollowedStream): void {
    const declared = this.#streams.get(name);
    if (declared) declared.resource = resource;
  }

  /** Ends the collection. @returns the settings of all streams, by key. */
  close(): Readonly<Record<string, StreamSettingsArgs>> {
    this.#isClosed = true;
    return Object.fromEntries(this.#all.map(({ key, settings }) => [key, settings]));
  }

  get keys(): readonly string[] {
    return this.#all.map(({ key }) => key);
  }

  /** Keys of the streams that have resources: none has where nodes come first, see cli/pulumi/checkpoints.mjs. */
  get madeKeys(): ReadonlySet<string> {
    return new Set(this.#all.flatMap(({ key, resource }) => (resource ? [key] : [])));
  }

  get resources(): readonly FollowedStream[] {
    return this.#all.flatMap(({ resource }) => resource ?? []);
  }

  /** Where the streams live, by key. @param goesByPlan see {@link placeOf}. */
  placements(goesByPlan: boolean): Readonly<Record<string, PlacedStream>> {
    const places = this.#all.flatMap(({ key, settings, resource }) => {
      if (!resource) return [];
      const named = (settings.stream ?? key) === key ? {} : { stream: settings.stream };
      return [[key, { ...named, ...placeOf(resource, goesByPlan) }] as const];
    });
    return Object.fromEntries(places);
  }

  get #all(): readonly DeclaredStream[] {
    return [...this.#streams.values()];
  }
}
