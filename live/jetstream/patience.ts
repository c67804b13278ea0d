import { ROOM_ERRORS } from "../../lib/placement/room-check.ts";
import { until } from "../until.ts";
import {
  ERROR_CODES,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  type StreamInfo,
  StreamNotFound,
} from "./jetstream.ts";

export interface Pace {
  /** Milliseconds without progress after which waiting for a stream fails. */
  readonly patience: number;
  /** Milliseconds to wait for a cluster that doesn't answer a request. */
  readonly silence: number;
  /** Milliseconds between two looks at a stream. */
  readonly pause: number;
}

/** When any stream of this process last made progress. */
let lastProgress = 0;

/** Measures how long a stream has made no progress. */
export class Patience {
  readonly #seen = new Set<string>();
  #since = performance.now();
  #lag = Number.POSITIVE_INFINITY;

  renew(): void {
    this.#progress();
    this.#lag = Number.POSITIVE_INFINITY;
    this.#seen.clear();
  }

  /**
   * A new minimum of the lag counts as progress, and so does a state that wasn't seen before. Going back and forth
   * doesn't.
   */
  record(state: string, lag: number): void {
    if (!this.#seen.has(state) || lag < this.#lag) this.#progress();
    this.#seen.add(state);
    this.#lag = Math.min(lag, this.#lag);
  }

  /**
   * How long there was no progress.
   *
   * @param withOthers whether progress of other streams counts as well: streams share the servers' capacity.
   * @returns milliseconds.
   */
  lasts(now: number, withOthers: boolean): number {
    return now - (withOthers ? Math.max(this.#since, lastProgress) : this.#since);
  }

  #progress(): void {
    this.#since = performance.now();
    lastProgress = this.#since;
  }
}

/** Repeats an idempotent request while JetStream can't answer or can't carry it out yet. */
export async function retry<Result>(request: () => Promise<Result>, pace: Pace): Promise<Result> {
  return await until<Result, unknown>(
    async () => {
      try {
        return { done: await request() };
      } catch (error) {
        return { shown: error };
      }
    },
    {
      pause: pace.pause,
      limit: (error) => patienceWith(error, pace),
      giveUp: (error) => {
        throw error;
      },
    },
  );
}

/** Observes a stream; undefined if it doesn't exist. Repeats the request while JetStream doesn't answer. */
export function find(
  port: JetStreamPort,
  stream: string,
  pace: Pace,
): Promise<StreamInfo | undefined> {
  return retry(() => findAtOnce(port, stream), pace);
}

/** Observes a stream with one request; undefined if it doesn't exist. */
export async function findAtOnce(
  port: JetStreamPort,
  stream: string,
): Promise<StreamInfo | undefined> {
  try {
    return await port.info(stream);
  } catch (error) {
    if (error instanceof StreamNotFound) return undefined;
    throw error;
  }
}

/**
 * Milliseconds in which the meta leader may find no place for a stream that the plan has one for, or a member may
 * refuse it: they may not know yet of tags, of a server that is back, or of what others have reserved since. A server
 * tells the others of itself every 10 s (nats-server 2.15, `statsHBInterval` in server/events.go): where a new leader
 * hasn't heard the first word of a server, it takes that one to be offline until then.
 */
const UNAWARE_MS = 12_000;

const UNAWARE_OF: ReadonlySet<number> = new Set([
  ROOM_ERRORS.noSuitablePeers,
  ROOM_ERRORS.insufficientMemory,
  ROOM_ERRORS.insufficientStorage,
]);

/**
 * How long to repeat a request after an error, milliseconds; -1 for not at all. No majority: give up after `silence`. A
 * move under way: wait for `patience`.
 */
function patienceWith(error: unknown, { silence, patience }: Pace): number {
  const code = error instanceof JetStreamError ? error.code : undefined;
  const { moveInProgress, reconfigurationInProgress, createFailed } = ERROR_CODES;
  const { memberChangeInFlight } = ERROR_CODES;
  const isShort = code !== undefined && UNAWARE_OF.has(code);
  if (isShort) return Math.min(UNAWARE_MS, silence, patience);
  if (code === moveInProgress || code === reconfigurationInProgress) return patience;
  const passes =
    error instanceof JetStreamUnavailable || code === createFailed || code === memberChangeInFlight;
  return passes ? Math.min(silence, patience) : -1;
}
