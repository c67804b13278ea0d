import path from "node:path";

/** The folder with our `ssh`, which shares one connection for each machine. */
const SSH_FOLDER = import.meta.dirname;

/**
 * The variables for a process that reaches an engine by ssh.
 *
 * @param env the others.
 * @param options each `Name=value`.
 */
export function sshEnvironment(
  { PATH = "" }: NodeJS.ProcessEnv,
  options: readonly string[] = [],
): NodeJS.ProcessEnv {
  const isThere = PATH.split(path.delimiter).includes(SSH_FOLDER);
  return {
    PATH: isThere ? PATH : `${SSH_FOLDER}${path.delimiter}${PATH}`,
    NATS_REGIONS_SSH_OPTIONS: options.join("\n"),
  };
}
