import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { PROJECT } from "../../test/support/stack.ts";
import { type Round, runRound } from "./cycle.ts";

/** Measured rounds of two versions of the program, in alternating order. */
export interface Comparison {
  /** The working tree, with its uncommitted changes. */
  readonly here: readonly Round[];
  readonly there: readonly Round[];
}

/**
 * Runs the life cycle of stacks with the seed's nine nodes and two streams, with this version of the program and with
 * another one. Both use the npm packages and the CLI's wrapper of this version.
 *
 * @param ref a commit, branch or tag of this repository.
 * @param runs rounds for each version.
 * @param onStep called with the step that is measured next.
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
      // The second of two finds caches that the first has filled, so the order alternates.
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
