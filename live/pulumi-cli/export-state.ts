import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface StackName {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
}

/**
 * A stack's state. It needs no lock: while an `up` runs, the state is the one from before it or of one of its steps.
 *
 * @throws Error with the message of `pulumi`.
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
      "There is no `pulumi` on the program's PATH. A cluster needs it to read its identity from its stack's state: add the folder of Pulumi's CLI to PATH.",
    );
  }
}
