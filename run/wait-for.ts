import { describeWaitStatus, stallTimerFrom, type WaitStatus } from "../lib/observed/waiting.ts";
import { until } from "../live/until.ts";

export interface LookingOut {
  /** Milliseconds without any progress after which it is given up. */
  readonly patience: number;
  /** Milliseconds between two looks. */
  readonly pause: number;
  /** Tells the person at the terminal, now and then, what is waited for. */
  readonly say: (line: string) => void;
  /** What there is to say when it is given up. */
  readonly lament: (sight: string) => string;
}

/**
 * Looks until there is nothing left to wait for.
 *
 * @param look what is waited for, undefined if nothing.
 * @throws Error with the {@link LookingOut.lament} once nothing has moved for too long.
 */
export async function waitFor(
  look: () => Promise<WaitStatus | undefined>,
  { patience, pause, say, lament }: LookingOut,
): Promise<void> {
  await until<void, WaitStatus>(
    async () => {
      const sight = await look();
      return sight ? { shown: sight } : { done: undefined };
    },
    {
      pause,
      limit: patience,
      lasts: stallTimerFrom(Date.now()),
      describe: describeWaitStatus,
      say,
      giveUp: ({ reason }) => {
        throw new Error(lament(`${reason}; nothing has moved for ${patience / 1_000} s`));
      },
    },
  );
}
