import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * A stack's state, as text. Needs no lock: a state that an `up` is at work on is as it was before, or a step further.
 *
 * @param stack `organization/project/stack`.
 * @throws Error in the words of `pulumi`.
 */
export async function exportState(stack: string): Promise<string> {
  const command = ["stack", "export", "--stack", stack, "--non-interactive"];
  const options = { maxBuffer: Number.POSITIVE_INFINITY };
  try {
    const { stdout } = await promisify(execFile)("pulumi", command, options);
    return stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(
      "There is no `pulumi` on the program's PATH, by which a cluster finds in its stack's state who it is. Put the folder of Pulumi's CLI on it.",
    );
  }
}
