import { setTimeout as sleep } from "node:timers/promises";

/**
 * The outcome of a look: `done` ends the wait; `acted` means that something was done, so the next look follows at once;
 * `shown` is what to report while the wait continues.
 */
export type LookResult<Result, Shown> =
  | { readonly done: Result }
  | { readonly acted: true }
  | { readonly shown: Shown };

/** How to wait. All times are milliseconds. */
export interface Waiting<Result, Shown> {
  /** Time between two looks. */
  readonly pause: number | ((shown: Shown) => number);
  /** Value of {@link Waiting.lasts} above which the wait ends. Default: never. */
  readonly limit?: number | ((shown: Shown) => number);
  /** Called then; it usually throws. */
  readonly giveUp?: (shown: Shown) => Result | Promise<Result>;
  /** How long there has been no progress. Default: the time since the start. */
  readonly lasts?: (shown: Shown, now: number) => number;
  /** The progress line for the user; undefined for none. */
  readonly describe?: (shown: Shown) => string | undefined;
  readonly say?: (line: string) => void;
  /** Time before the first progress line, and between two of them. Default: 5 s. */
  readonly interval?: number;
  /** Aborts the wait with an `AbortError`. */
  readonly signal?: AbortSignal;
}

const INTERVAL_MS = 5_000;

/**
 * Looks until the outcome is `done`. All waiting in this project uses this loop, and a clock that nobody sets.
 *
 * @throws what `look` and {@link Waiting.giveUp} throw.
 */
export async function until<Result, Shown>(
  look: () => Promise<LookResult<Result, Shown>>,
  {
    pause,
    limit = Number.POSITIVE_INFINITY,
    giveUp,
    lasts,
    describe,
    say,
    interval = INTERVAL_MS,
    signal,
  }: Waiting<Result, Shown>,
): Promise<Result> {
  const began = performance.now();
  for (let saidAt = began; ; ) {
    signal?.throwIfAborted();
    const outcome = await look();
    if ("done" in outcome) return outcome.done;
    if ("acted" in outcome) continue;
    const { shown } = outcome;
    const now = performance.now();
    const lasted = lasts?.(shown, now) ?? now - began;
    if (giveUp && lasted > (typeof limit === "number" ? limit : limit(shown))) {
      return await giveUp(shown);
    }
    const line = now - saidAt > interval ? describe?.(shown) : undefined;
    if (line !== undefined) {
      say?.(line);
      saidAt = now;
    }
    const rest = typeof pause === "number" ? pause : pause(shown);
    await sleep(rest, undefined, signal && { signal });
  }
}
