import { execa } from "execa";
import { UserError } from "../terminal/user-error.ts";

/** `kill`: SIGKILL. `stop`: a clean shutdown. `pause`: frozen, with all its connections open. */
export const HOWS = ["kill", "stop", "pause"] as const;
export type How = (typeof HOWS)[number];

const ATTEMPTS = 3;

/**
 * Takes containers down, all at once. The engine starts none of them by itself: to its restart policy they
 * were stopped by hand (Docker, `docker kill` too).
 *
 * @throws UserError in `docker`'s words; some may be down then.
 */
export async function takeDown(containers: readonly string[], how: How): Promise<void> {
  const ends = await Promise.all(containers.map((container) => docker(how, container)));
  const failed = ends.find(({ ok }) => !ok);
  if (failed) throw new UserError(`docker ${how}: ${failed.error}`);
}

/** Brings containers back, whatever state they are in. @returns what could not be done, a sentence each. */
export async function bringBack(containers: readonly string[]): Promise<string[]> {
  const problems = await Promise.all(containers.map(bringBackOne));
  return problems.flatMap((problem) => problem ?? []);
}

async function bringBackOne(container: string): Promise<string | undefined> {
  let problem = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const state = await docker("inspect", "--format={{.State.Status}}", container);
    if (state.stdout === "running") return undefined;
    const verb = state.stdout === "paused" ? "unpause" : "start";
    const end = state.ok ? await docker(verb, container) : state;
    if (end.ok) return undefined;
    problem = end.error;
  }
  return `${container} could not be brought back: ${problem}`;
}

/** In a process group of its own: a Ctrl-C that ends the drill must not keep nodes from being brought back. */
async function docker(...args: string[]) {
  const { failed, stdout, stderr, shortMessage } = await execa("docker", args, {
    detached: true,
    cleanup: false,
    reject: false,
    stdin: "ignore",
  });
  return { ok: !failed, stdout, error: failed ? stderr.trim() || `${shortMessage}` : "" };
}
