import { describeSight, type Sight, Stillness } from "../lib/observed/waiting.ts";
import { sleep } from "../live/jetstream/patience.ts";

export interface Waiting {
  /** Milliseconds without any progress after which it is given up. */
  readonly patience: number;
  /** Milliseconds between two looks. */
  readonly pause: number;
  /** Tells the person at the terminal, every {@link PROGRESS_MS}, what is waited for. */
  readonly say: (line: string) => void;
  /** What there is to say when it is given up. */
  readonly lament: (sight: string) => string;
}

const PROGRESS_MS = 5_000;

/**
 * Looks until there is nothing left to wait for.
 *
 * @param look what is waited for, undefined if nothing.
 * @throws Error with the {@link Waiting.lament} once nothing has moved for too long.
 */
export async function waitFor(
  look: () => Promise<Sight | undefined>,
  { patience, pause, say, lament }: Waiting,
): Promise<void> {
  const stillness = new Stillness(Date.now());
  for (let saidAt = Date.now(); ; await sleep(pause)) {
    const sight = await look();
    if (!sight) return;
    const now = Date.now();
    stillness.note(sight, now);
    if (stillness.lasts(now) > patience) {
      throw new Error(lament(`${sight.reason}; nothing has moved for ${patience / 1_000} s`));
    }
    if (now - saidAt > PROGRESS_MS) {
      say(describeSight(sight));
      saidAt = now;
    }
  }
}
