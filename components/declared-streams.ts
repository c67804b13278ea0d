import * as pulumi from "@pulumi/pulumi";
import type { StreamSettingsArgs } from "./args.ts";
import { type PlacedStream, placeOf } from "./cluster-streams.ts";
import type { FollowedStream } from "./stream-host.ts";

/** A stream that the program has declared. */
interface DeclaredStream {
  /** As the settings call it: in errors, in the roster and in outputs. */
  readonly key: string;
  readonly settings: StreamSettingsArgs;
  resource?: FollowedStream;
}

/** The streams that a program declares of a cluster, in its args or beside it, until the cluster is planned. */
export class DeclaredStreams {
  readonly #cluster: string;
  /** By the names of their resources. */
  readonly #streams = new Map<string, DeclaredStream>();
  #isClosed = false;

  /** @param cluster name of its resource, for people. */
  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Is told of a stream of the args before its resource is made, whose name need not be what the args call it. */
  announce(name: string, key: string, settings: StreamSettingsArgs): void {
    this.#streams.set(name, { key, settings });
  }

  /**
   * Takes a stream in whose resource is being made.
   *
   * @returns what the settings call it.
   * @throws pulumi.RunError where there is one of that name, or where the cluster is planned already.
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

  /** Is told of the resource of a stream that was declared. */
  follow(name: string, resource: FollowedStream): void {
    const declared = this.#streams.get(name);
    if (declared) declared.resource = resource;
  }

  /** Takes in no more. @returns the settings of all, by key. */
  close(): Readonly<Record<string, StreamSettingsArgs>> {
    this.#isClosed = true;
    return Object.fromEntries(this.#all.map(({ key, settings }) => [key, settings]));
  }

  get keys(): readonly string[] {
    return this.#all.map(({ key }) => key);
  }

  get resources(): readonly FollowedStream[] {
    return this.#all.flatMap(({ resource }) => resource ?? []);
  }

  /** Where they live, by key. @param goesByPlan see {@link placeOf}. */
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
