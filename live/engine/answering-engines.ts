import { DockerError, type Engine } from "./engine.ts";

/** Which engines answer. */
export interface Answers {
  readonly answering: readonly Engine[];
  /** Why the others don't, by their keys. */
  readonly silent: ReadonlyMap<string, string>;
}

/** Milliseconds: `docker` has ssh try twice, for 3 s each, and the first connection takes some round trips. */
const PATIENCE_MS = 7_000;

/**
 * Asks all engines at once for a sign of life, before anything else is asked of them: so the first connection to each
 * machine is made, which others share, and a machine that is gone holds nobody up.
 */
export async function askWhoAnswers(engines: readonly Engine[]): Promise<Answers> {
  const signs = await Promise.all(
    engines.map(async (engine) => ({ engine, silence: await silenceOf(engine) })),
  );
  return {
    answering: signs.flatMap(({ engine, silence }) => (silence === undefined ? engine : [])),
    silent: new Map(
      signs.flatMap(({ engine, silence }) =>
        silence === undefined ? [] : [[engine.key, silence] as const],
      ),
    ),
  };
}

async function silenceOf(engine: Engine): Promise<string | undefined> {
  try {
    await engine.within(PATIENCE_MS).run("version", "--format={{.Server.Version}}");
    return undefined;
  } catch (error) {
    if (error instanceof DockerError) return error.reason;
    throw error;
  }
}
