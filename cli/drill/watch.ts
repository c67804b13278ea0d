import { setTimeout as sleep } from "node:timers/promises";
import { streamKey } from "../../lib/streams/stream-name.ts";
import type { Agreement } from "../../live/jetstream/jetstream.ts";
import { type Pages, withCaughtUp } from "../../live/monitoring/caught-up.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { askStreamPages } from "../../live/monitoring/monitoring.ts";
import type { Group, Observations, Sampling } from "./forecast.ts";
import { type LedGroup, lookOf } from "./pages.ts";

export interface WatchOptions {
  /** The streams that are asked for agreements. */
  readonly sampling: Sampling;
  readonly agree: (stream: string) => Promise<Agreement>;
  /** The remaining nodes. */
  readonly monitors: readonly Monitor[];
}

interface Notes extends Observations {
  readonly agreements: number[];
  readonly majorities: number[];
  readonly complete: number[];
}

/** Milliseconds between two looks at the nodes' pages. */
export const LOOK_INTERVAL_MS = 500;

/** Observes raft groups from its creation until it is stopped. Times count from its creation. */
export class Watch {
  readonly #began = performance.now();
  readonly #notes = new Map<string, Notes>();
  readonly #stopping = new AbortController();
  readonly #loops: readonly Promise<void>[];
  #monitors: readonly Monitor[];
  /** Those of the last look. */
  #pages: Pages = new Map();

  constructor({ sampling, agree, monitors }: WatchOptions) {
    this.#monitors = monitors;
    this.#loops = [
      this.#repeat(sampling.interval, () => {
        for (const group of sampling.groups) void this.#ask(group, agree);
      }),
      this.#repeat(LOOK_INTERVAL_MS, () => this.#look()),
    ];
  }

  /** Milliseconds since its creation. */
  now(): number {
    return performance.now() - this.#began;
  }

  /** Replaces the nodes that are asked from now on. */
  lookAt(monitors: readonly Monitor[]): void {
    this.#monitors = monitors;
  }

  observationsOf(group: Pick<Group, "account" | "name">): Observations {
    return this.#notesOf(group);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  async #repeat(interval: number, step: () => Promise<void> | void): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await step();
      await sleep(interval, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A missing answer is an observation, too: no majority. */
  async #ask(group: Group, agree: WatchOptions["agree"]): Promise<void> {
    const answer = await agree(group.name).catch(() => undefined);
    if (answer === "agreed") this.#notesOf(group).agreements.push(this.now());
  }

  async #look(): Promise<void> {
    const pages = await askStreamPages(this.#monitors);
    const { metaGroup, streams } = lookOf(withCaughtUp(pages, this.#pages));
    this.#pages = pages;
    for (const group of [...streams.values(), ...(metaGroup ? [metaGroup] : [])])
      this.#record(group);
  }

  #record(group: LedGroup): void {
    const { majorities, complete } = this.#notesOf(group);
    if (group.hasMajority) majorities.push(this.now());
    if (group.isComplete) complete.push(this.now());
  }

  #notesOf(group: Pick<Group, "account" | "name">): Notes {
    const key = streamKey(group);
    const notes = this.#notes.get(key) ?? { agreements: [], majorities: [], complete: [] };
    this.#notes.set(key, notes);
    return notes;
  }
}
