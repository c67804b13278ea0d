import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { PROJECT } from "../../test/support/stack.ts";
import { type Round, runRound } from "./cycle.ts";

/** Rounds of two versions of the program, taken in turns. */
export interface Comparison {
  /** What is checked out there, with its changes. */
  readonly here: readonly Round[];
  readonly there: readonly Round[];
}

/**
 * Takes stacks of the seed's nine nodes and two streams through their lives by this version of the program and by
 * another one, with the npm packages and the CLI's wrapper of this one.
 *
 * @param ref a commit, branch or tag of this repository
 * @param runs how many rounds by each
 * @param onStep called with what is being measured
 */
export async function compareWith(
  ref: string,
  runs: number,
  onStep: (step: string) => void,
): Promise<Comparison> {
  const other = mkdtempSync(path.join(tmpdir(), "nats-regions-against-"));
  const git = (...args: string[]) => execa("git", args, { cwd: PROJECT });
  await git("worktree", "add", "--detach", other, ref);
  try {
    symlinkSync(path.join(PROJECT, "node_modules"), path.join(other, "node_modules"));
    const here: Round[] = [];
    const there: Round[] = [];
    for (let run = 1; run <= runs; run += 1) {
      // The second of two finds caches that the first has filled: each is the first in turn.
      const turns = [
        { name: "this version", rounds: here, folder: PROJECT },
        { name: ref, rounds: there, folder: other },
      ];
      for (const { name, rounds, folder } of run % 2 === 1 ? turns : turns.toReversed()) {
        onStep(`round ${run} of ${runs}, ${name}`);
        rounds.push(await runRound({ folder }));
      }
    }
    return { here, there };
  } finally {
    await git("worktree", "remove", "--force", other);
    rmSync(other, { recursive: true, force: true });
  }
}
