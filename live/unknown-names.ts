import { execFile } from "node:child_process";

/** Looks up the names in its arguments, all at once, and prints each as soon as it is found not to be there. */
const PROGRAM = `
const { lookup } = require("node:dns");
for (const name of process.argv.slice(1)) {
  lookup(name, (error) => {
    if (error?.code === "ENOTFOUND") console.log(name);
  });
}
`;

/**
 * The host names that nobody knows here. Of one that isn't answered for in time, nothing is known. A process of its own
 * looks them up, as a look-up can't be given up, and would keep this one alive.
 *
 * @param milliseconds for all of them.
 */
export function unknownNames(
  names: readonly string[],
  milliseconds: number,
): Promise<readonly string[]> {
  if (names.length === 0) return Promise.resolve([]);
  const limit = { timeout: milliseconds, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, ["--eval", PROGRAM, ...names], limit, (_, stdout) => {
      const said = new Set(stdout.split("\n"));
      resolve(names.filter((name) => said.has(name)));
    });
  });
}
