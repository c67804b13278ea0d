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
  /** Milliseconds without any progress after which a stream is given up on. */
  readonly patience: number;
  /** Milliseconds to wait for a cluster that doesn't answer a request. */
  readonly silence: number;
  /** Milliseconds between two looks at a stream. */
  readonly pause: number;
}

/** When any stream of this process was last seen to move. */
let lastProgress = 0;

/** Measures for how long a stream hasn't moved. */
export class Patience {
  readonly #seen = new Set<string>();
  #since = Date.now();
  #lag = Number.POSITIVE_INFINITY;

  renew(): void {
    this.#progress();
    this.#lag = Number.POSITIVE_INFINITY;
    this.#seen.clear();
  }

  /** Less lag than ever counts as progress, and so does any state not seen before: back and forth is none. */
  note(state: string, lag: number): void {
    if (!this.#seen.has(state) || lag < this.#lag) this.#progress();
    this.#seen.add(state);
    this.#lag = Math.min(lag, this.#lag);
  }

  /**
   * @param withOthers whether it counts also that others move: streams share what servers can do.
   * @returns milliseconds.
   */
  lasts(now: number, withOthers: boolean): number {
    return now - (withOthers ? Math.max(this.#since, lastProgress) : this.#since);
  }

  #progress(): void {
    this.#since = Date.now();
    lastProgress = this.#since;
  }
}

/** Repeats a request that may be repeated, as long as JetStream can't or won't answer yet. */
export async function insist<Result>(request: () => Promise<Result>, pace: Pace): Promise<Result> {
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

/** A stream as it is; undefined where there is none. */
export function find(
  port: JetStreamPort,
  stream: string,
  pace: Pace,
): Promise<StreamInfo | undefined> {
  return insist(() => findAtOnce(port, stream), pace);
}

/** The same, by one request. */
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
 * Milliseconds in which a meta leader finds no place for a stream that the plan has one for, or one that a member then
 * refuses: it may not have heard of tags, of a server that is back, or of what others have reserved since.
 */
const UNAWARE_MS = 5_000;

const UNAWARE_OF: ReadonlySet<number> = new Set([
  ROOM_ERRORS.noSuitablePeers,
  ROOM_ERRORS.insufficientMemory,
  ROOM_ERRORS.insufficientStorage,
]);

/** A cluster without a majority is told of in seconds; a move that is under way may take its time. */
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
