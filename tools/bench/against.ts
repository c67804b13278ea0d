import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { PROJECT, TestStack } from "../../test/support/stack.ts";
import { type Timing, time } from "./stopwatch.ts";

/** No-op previews by two versions of the program, taken in turns. */
export interface Comparison {
  /** What is checked out there, with its changes. */
  readonly here: readonly Timing[];
  readonly there: readonly Timing[];
}

/**
 * Measures a no-op preview of the seed's nine nodes and two streams by this version of the program and by another
 * one, each on a stack that it made itself, with the npm packages of this one.
 *
 * @param ref a commit, branch or tag of this repository
 * @param runs how many previews by each
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
  const stacks: TestStack[] = [];
  const preparePreview = async (folder: string) => {
    const stack = await TestStack.create();
    stacks.push(stack);
    const pulumi = (...words: string[]) => {
      const { file, args, options } = stack.command(words);
      return time(file, args, { ...options, cwd: folder });
    };
    await pulumi("up", "--yes", "--skip-preview");
    return () => pulumi("preview", "--expect-no-changes");
  };
  try {
    symlinkSync(path.join(PROJECT, "node_modules"), path.join(other, "node_modules"));
    onStep("up by each");
    const previewThere = await preparePreview(other);
    const previewHere = await preparePreview(PROJECT);
    const here: Timing[] = [];
    const there: Timing[] = [];
    // The first of each fills caches.
    for (let run = 0; run <= runs; run += 1) {
      onStep(`previews ${run} of ${runs}`);
      const [a, b] = [await previewHere(), await previewThere()];
      if (run === 0) continue;
      here.push(a);
      there.push(b);
    }
    return { here, there };
  } finally {
    for (const stack of stacks) await stack.remove();
    await git("worktree", "remove", "--force", other);
    rmSync(other, { recursive: true, force: true });
  }
}
