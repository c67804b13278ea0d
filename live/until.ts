import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a look comes to: the end; or something was done, so that it is looked again at once; or what there is to be
 * seen as long as it goes on.
 */
export type LookResult<Result, Shown> =
  | { readonly done: Result }
  | { readonly acted: true }
  | { readonly shown: Shown };

/** How it is waited. All times are milliseconds. */
export interface Waiting<Result, Shown> {
  /** Between two looks. */
  readonly pause: number | ((shown: Shown) => number);
  /** Of {@link Waiting.lasts}, after which it is given up. Default: never. */
  readonly limit?: number | ((shown: Shown) => number);
  /** What is to come of it then; mostly it throws. */
  readonly giveUp?: (shown: Shown) => Result | Promise<Result>;
  /** For how long nothing has moved. Default: how long it has been waited, whatever has moved. */
  readonly lasts?: (shown: Shown, now: number) => number;
  /** What the person at the terminal is to be told, now and then; undefined if nothing. */
  readonly describe?: (shown: Shown) => string | undefined;
  readonly say?: (line: string) => void;
  /** Before the first line and between any two. Default: 5 s. */
  readonly interval?: number;
  /** Ends the wait by an `AbortError`. */
  readonly signal?: AbortSignal;
}

const INTERVAL_MS = 5_000;

/**
 * Looks until that comes to an end. The one loop for whatever is waited for.
 *
 * @throws what a look does, and what {@link Waiting.giveUp} does.
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
  const began = Date.now();
  for (let saidAt = began; ; ) {
    signal?.throwIfAborted();
    const outcome = await look();
    if ("done" in outcome) return outcome.done;
    if ("acted" in outcome) continue;
    const { shown } = outcome;
    const now = Date.now();
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
