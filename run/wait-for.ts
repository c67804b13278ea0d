import { describeWaitStatus, stallTimerFrom, type WaitStatus } from "../lib/observed/waiting.ts";
import { until } from "../live/until.ts";

export interface WaitOptions {
  /** Milliseconds without progress after which waiting fails. */
  readonly patience: number;
  /** Milliseconds between two looks. */
  readonly pause: number;
  /** Shows a progress line to the user. */
  readonly say: (line: string) => void;
  /** The error's message for what is still missing. */
  readonly describeStall: (sight: string) => string;
}

/**
 * Looks until nothing is left to wait for.
 *
 * @param look what is waited for; undefined for nothing.
 * @throws Error with {@link WaitOptions.describeStall} after too long without progress.
 */
export async function waitFor(
  look: () => Promise<WaitStatus | undefined>,
  { patience, pause, say, describeStall }: WaitOptions,
): Promise<void> {
  await until<void, WaitStatus>(
    async () => {
      const sight = await look();
      return sight ? { shown: sight } : { done: undefined };
    },
    {
      pause,
      limit: patience,
      lasts: stallTimerFrom(performance.now()),
      describe: describeWaitStatus,
      say,
      giveUp: ({ reason }) => {
        throw new Error(describeStall(`${reason}; nothing has moved for ${patience / 1_000} s`));
      },
    },
  );
}
