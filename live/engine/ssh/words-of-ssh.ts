import { execFile } from "node:child_process";
import { withoutBrackets } from "../../../lib/base/addresses.ts";

/** Milliseconds: the connection is there already, as docker has just used it. */
const LIMIT_MS = 3_000;

/**
 * What a machine says where `docker` reaches it by ssh, and then no engine: docker's CLI (28) keeps that to itself, whether
 * the user may not use the engine or the engine doesn't run.
 *
 * @param host as `ssh://user@host:port`.
 * @param env the environment for docker.
 * @returns the last line; empty if it says nothing in time.
 */
export function wordsOfSsh(host: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { hostname, port, username } = new URL(host);
  const args = [
    ...(username === "" ? [] : ["-l", decodeURIComponent(username)]),
    ...(port === "" ? [] : ["-p", port]),
    ...["-o", "BatchMode=yes", "-T", "--", withoutBrackets(hostname)],
    ...["docker", "system", "dial-stdio"],
  ];
  return new Promise((resolve) => {
    const options = { env, timeout: LIMIT_MS, killSignal: "SIGKILL" } as const;
    const child = execFile("ssh", args, options, (_error, _stdout, stderr) =>
      resolve(stderr.trim().split("\n").at(-1) ?? ""),
    );
    child.stdin?.end();
  });
}
