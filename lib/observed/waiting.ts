/** How long it is worth waiting for a cluster: as long as something moves. */

/** Milliseconds without any progress after which a wave, a node or a departure is given up, unless `patience` is set. */
export const PATIENCE_MS = 120_000;

/** What a look at the cluster tells of the way to go. */
export interface Sight {
  /** What is waited for. */
  readonly reason: string;
  /** What replicas lack; undefined where nobody knows. */
  readonly behind?: number;
}

/**
 * Measures for how long nothing has moved. A reason that was not seen before is progress, and so is less to go than
 * there ever was for that reason: what flaps, or is outrun by what comes in, is not.
 */
export class Stillness {
  readonly #least = new Map<string, number>();
  #since: number;
  #isMoving = false;

  /** @param now milliseconds, here as everywhere on the same clock. */
  constructor(now: number) {
    this.#since = now;
  }

  note({ reason, behind }: Sight, now: number): void {
    // Numbers in it may change at each look.
    const key = reason.replace(/\b\d[\d.,]*\b/g, "#");
    const least = this.#least.get(key);
    const togo = behind ?? Number.POSITIVE_INFINITY;
    this.#isMoving = least !== undefined && togo < least;
    if (least === undefined || togo < least) {
      this.#since = now;
      this.#least.set(key, togo);
    }
  }

  /** Milliseconds. */
  lasts(now: number): number {
    return now - this.#since;
  }

  /** Whether the last look saw less to go than ever. */
  get isMoving(): boolean {
    return this.#isMoving;
  }
}

/** A measure of stillness from a time on: takes note of a sight, and tells for how many milliseconds nothing has moved. */
export function stillnessFrom(start: number): (sight: Sight, now: number) => number {
  const stillness = new Stillness(start);
  return (sight, now) => {
    stillness.note(sight, now);
    return stillness.lasts(now);
  };
}

/** For the person at the terminal, e.g. `stream ORDERS waits for rg2-az1, 1,234 to go`. */
export function describeSight({ reason, behind }: Sight): string {
  return behind === undefined || behind === 0
    ? reason
    : `${reason}; ${behind.toLocaleString("en-US")} messages and operations to go, and it goes on as long as they get fewer`;
}
