import { execFile } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { withoutBrackets } from "../../lib/base/addresses.ts";
import type { Engine } from "./engine.ts";

/** Milliseconds in which an engine that answers has mostly done so: until then nothing else is asked. */
const FIRST_MS = 300;
/** Milliseconds between two attempts, as packets get lost. */
const AGAIN_MS = 500;

/** Where ssh connects to. */
interface Target {
  readonly host: string;
  readonly port: number;
  /** Milliseconds in which it accepts a connection, however busy it is, as its kernel does that. */
  readonly limit: number;
}

/**
 * Why nobody can be reached where an engine's sshd should be. An engine may take long to answer, but a machine that
 * doesn't even accept a connection isn't there: that is known in half the time.
 *
 * @param signal ends the search. It then doesn't resolve any more.
 * @returns the reason. Never resolves if somebody is there, or if ssh goes by a way that can't be tried from here.
 */
export function whyNobodyIsThere(engine: Engine, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    search(engine, signal).then(
      (reason) => {
        if (reason !== undefined && !signal.aborted) resolve(reason);
      },
      () => undefined,
    );
  });
}

async function search(engine: Engine, signal: AbortSignal): Promise<string | undefined> {
  if (!engine.host?.startsWith("ssh:")) return undefined;
  await pause(FIRST_MS, signal);
  if (signal.aborted) return undefined;
  const target = await targetOf(engine.host, engine.environment());
  if (target === undefined) return undefined;
  const problem = await whyNotAccepted(target, signal);
  return problem && `ssh: connect to host ${target.host} port ${target.port}: ${problem}`;
}

/** As the user's configuration of ssh has it. Undefined if other programs or machines are in between. */
async function targetOf(url: string, env: NodeJS.ProcessEnv): Promise<Target | undefined> {
  const { username, hostname, port } = new URL(url);
  const given = [
    ...(username ? ["-l", decodeURIComponent(username)] : []),
    ...(port ? ["-p", port] : []),
  ];
  // The words of `docker`, so that our ssh adds its options.
  const command = ["-G", ...given, "--", withoutBrackets(hostname), "docker system dial-stdio"];
  try {
    const { stdout } = await promisify(execFile)("ssh", command, { env });
    return targetIn(stdout);
  } catch {
    return undefined;
  }
}

/** @param config what `ssh -G` prints: an option in each line, in lower case, and its value (OpenSSH 9). */
export function targetIn(config: string): Target | undefined {
  const options = new Map(
    config.split("\n").map((line) => {
      const [name = "", ...value] = line.split(" ");
      return [name, value.join(" ")] as const;
    }),
  );
  const between = ["proxyjump", "proxycommand"].some(
    (name) => (options.get(name) ?? "none") !== "none",
  );
  const host = options.get("hostname");
  const limit = Number(options.get("connecttimeout")) * 1_000;
  if (between || !host || !limit) return undefined;
  return { host, port: Number(options.get("port") ?? 22), limit };
}

/** @returns undefined as soon as somebody accepts or refuses a connection, or `signal` is set. */
async function whyNotAccepted(target: Target, signal: AbortSignal): Promise<string | undefined> {
  const found = new AbortController();
  const ends = AbortSignal.any([signal, found.signal]);
  let problem = `no answer within ${target.limit / 1_000} s`;
  for (let waited = 0; waited < target.limit && !ends.aborted; waited += AGAIN_MS) {
    dial(target, ends, (error) => {
      if (error === undefined || error.code === "ECONNREFUSED") found.abort();
      else problem = error.message;
    });
    await pause(AGAIN_MS, ends);
  }
  const isThere = ends.aborted;
  found.abort();
  return isThere ? undefined : problem;
}

function dial(
  { host, port }: Target,
  signal: AbortSignal,
  done: (error?: NodeJS.ErrnoException) => void,
): void {
  const socket = connect({ host, port });
  signal.addEventListener("abort", () => socket.destroy());
  socket.once("connect", () => done());
  socket.once("error", done);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
