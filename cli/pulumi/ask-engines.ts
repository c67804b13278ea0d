/**
 * Asks the engines of a stack for a sign of life. Run by `npx pulumi`, which any node runs, while this needs one that
 * strips types.
 *
 * stdin: what `pulumi stack export` prints. stdout: JSON of {@link Asked}.
 */
import { text } from "node:stream/consumers";
import { askWhoAnswers, EngineRefuses } from "../../live/engine/answering-engines.ts";
import { engineAt } from "../../live/engine/engine.ts";
import { enginePlacesIn, type Holdings, holdingsIn } from "../../live/engine/engines-in-state.ts";

/** An engine that doesn't answer, with what the stack has there. */
export interface SilentEngine extends Holdings {
  readonly key: string;
  readonly host: string;
  /** Why it doesn't answer. */
  readonly reason: string;
}

export interface Asked {
  readonly silent: readonly SilentEngine[];
  /** Whether any other answers. */
  readonly isAnyThere: boolean;
  /** Why one lets nobody in, and the way out. */
  readonly refusal?: string;
}

async function ask(exported: unknown): Promise<Asked> {
  const places = enginePlacesIn(exported);
  try {
    const { answering, silent } = await askWhoAnswers(places.map(engineAt));
    return {
      silent: places.flatMap(({ key, host }) => {
        const reason = silent.get(key);
        return reason === undefined ? [] : [{ key, host, reason, ...holdingsIn(exported, host) }];
      }),
      isAnyThere: answering.length > 0,
    };
  } catch (error) {
    if (!(error instanceof EngineRefuses)) throw error;
    return { silent: [], isAnyThere: true, refusal: error.message };
  }
}

console.log(JSON.stringify(await ask(JSON.parse(await text(process.stdin)))));
