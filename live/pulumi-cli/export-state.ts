import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface StackName {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
}

/**
 * A stack's state. Needs no lock: a state that an `up` is at work on is as it was before, or a step further.
 *
 * @throws Error in the words of `pulumi`.
 */
export async function exportState({
  organization,
  project,
  stack: name,
}: StackName): Promise<unknown> {
  const stack = [organization, project, name].join("/");
  const command = ["stack", "export", "--stack", stack, "--non-interactive"];
  const options = { maxBuffer: Number.POSITIVE_INFINITY };
  try {
    const { stdout } = await promisify(execFile)("pulumi", command, options);
    return JSON.parse(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(
      "There is no `pulumi` on the program's PATH, by which a cluster finds in its stack's state who it is. Put the folder of Pulumi's CLI on it.",
    );
  }
}
