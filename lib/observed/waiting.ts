/** Measures progress while an update waits for a cluster. It waits as long as there is progress. */

/**
 * Milliseconds without progress after which waiting for a wave, a node or a departure fails, unless `patience` is
 * set.
 */
export const PATIENCE_MS = 120_000;

/** What an observation of the cluster says about the remaining wait. */
export interface WaitStatus {
  /** What the update waits for. */
  readonly reason: string;
  /** Messages and operations that replicas lag behind; absent if unknown. */
  readonly behind?: number;
}

/**
 * Measures the time without progress. A new reason is progress, and so is a lag smaller than all before for the same
 * reason. So neither flapping, nor a replica that lags more and more, is progress.
 */
export class StallTimer {
  readonly #least = new Map<string, number>();
  #since: number;
  #isProgressing = false;

  /** @param now milliseconds. All times must be of the same clock. */
  constructor(now: number) {
    this.#since = now;
  }

  note({ reason, behind }: WaitStatus, now: number): void {
    // Numbers in a reason may change with each observation.
    const key = reason.replace(/\b\d[\d.,]*\b/g, "#");
    const least = this.#least.get(key);
    const togo = behind ?? Number.POSITIVE_INFINITY;
    this.#isProgressing = least !== undefined && togo < least;
    if (least === undefined || togo < least) {
      this.#since = now;
      this.#least.set(key, togo);
    }
  }

  /** Milliseconds since the last progress. */
  stalledFor(now: number): number {
    return now - this.#since;
  }

  /** Whether the last observation had a smaller lag than all before. */
  get isProgressing(): boolean {
    return this.#isProgressing;
  }
}

/** A function that notes an observation, and returns the milliseconds without progress since then or `start`. */
export function stallTimerFrom(start: number): (status: WaitStatus, now: number) => number {
  const timer = new StallTimer(start);
  return (status, now) => {
    timer.note(status, now);
    return timer.stalledFor(now);
  };
}

/**
 * Describes an observation to users, e.g. `stream ORDERS waits for rg2-az1; 1,234 messages and operations to go, …`.
 */
export function describeWaitStatus({ reason, behind }: WaitStatus): string {
  return behind === undefined || behind === 0
    ? reason
    : `${reason}; ${behind.toLocaleString("en-US")} messages and operations to go, and it goes on as long as they get fewer`;
}
