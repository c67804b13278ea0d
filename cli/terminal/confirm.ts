import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { UserError } from "./user-error.ts";

/** Asks the user whether to continue. @throws UserError if there is no terminal. */
export async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UserError("There is no terminal to ask on: say `--yes` if you mean it.");
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Depending on the version of node, Ctrl-C and Ctrl-D either reject the question or only close the terminal.
  const answered = terminal.question("Type yes to go on: ").catch(() => "");
  const answer = await Promise.race([answered, once(terminal, "close").then(() => "")]);
  terminal.close();
  return answer.trim().toLowerCase() === "yes";
}
