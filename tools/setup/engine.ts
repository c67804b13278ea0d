import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Step } from "../../cli/terminal/log.ts";
import { isThere, type Machine, onPath } from "./machine.ts";
import type { Part } from "./part.ts";
import { ask, run } from "./process.ts";
import { unavailable } from "./set-up-errors.ts";

/** Facts about Docker on a machine where no engine answers. */
export interface EngineFacts {
  /** The error message of `docker version`. */
  readonly complaint: string;
  readonly client: boolean;
  readonly daemon: boolean;
  /** The engine's address that the client uses. */
  readonly host: string;
  readonly root: boolean;
  readonly systemd: boolean;
  readonly apt: boolean;
}

/** What to do about an engine that doesn't answer. */
export type EnginePlan =
  | { readonly action: "install" | "systemctl" | "dockerd" }
  | { readonly action: "refuse"; readonly advice: string };

const LOCAL_HOST = "unix:///var/run/docker.sock";
const PACKAGES = ["docker.io", "iptables", "iproute2"];
/** Milliseconds that an engine may take to answer after its start. */
const START_LIMIT = 60_000;

const JOIN_GROUP = 'sudo usermod -aG docker "$USER", then log in again.';

/** Decides how to get an engine that answers. If the user chose the engine, the user has to start it. */
export function planEngine(facts: EngineFacts): EnginePlan {
  if (facts.host !== LOCAL_HOST) {
    return refuse(
      facts.client
        ? `The engine ${facts.host} was chosen by DOCKER_HOST or a docker context: start it, or choose another.`
        : "Install the docker command (docs.docker.com/get-docker).",
    );
  }
  if (/permission denied/i.test(facts.complaint)) {
    return refuse(`Docker runs, but this user may not use it: ${JOIN_GROUP}`);
  }
  if (!facts.client || !facts.daemon) return planInstall(facts);
  const start = facts.systemd ? "systemctl" : "dockerd";
  if (facts.root) return { action: start };
  return refuse(`Start Docker: sudo ${facts.systemd ? "systemctl start docker" : "dockerd"}`);
}

function planInstall({ root, apt }: EngineFacts): EnginePlan {
  if (!apt) return refuse("Install Docker (docs.docker.com/get-docker) and start it.");
  if (root) return { action: "install" };
  const command = `sudo apt-get install -y ${PACKAGES.join(" ")}`;
  return refuse(`Install Docker: ${command}\nand let yourself use it: ${JOIN_GROUP}`);
}

function refuse(advice: string): EnginePlan {
  return { action: "refuse", advice };
}

/** A Docker engine that answers. */
export function enginePart(machine: Machine): Part {
  return {
    label: "Docker engine",
    find: async () => (await ping(machine)).ok,
    async provide(step) {
      const facts = await gatherFacts(machine);
      const plan = planEngine(facts);
      const failed = (way: string, reason: string, remedy: string) =>
        unavailable(step.label, [{ way, reason }], remedy, machine.env);
      if (plan.action === "refuse") {
        throw failed("docker", facts.complaint.split("\n").at(-1) ?? "", plan.advice);
      }
      try {
        return plan.action === "install"
          ? await installEngine(machine, facts, step)
          : await startEngine(machine, facts, step);
      } catch (error) {
        if (machine.signal.aborted) throw error;
        throw failed(plan.action, (error as Error).message, "Start Docker by hand.");
      }
    },
  };
}

async function installEngine(machine: Machine, facts: EngineFacts, step: Step): Promise<string> {
  step.doing(`installing ${PACKAGES.join(", ")}`);
  const aptGet = (...args: string[]) =>
    run("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-y", ...args], {
      env: { ...machine.env, DEBIAN_FRONTEND: "noninteractive" },
      signal: machine.signal,
      onLine: (line) => step.detail(line),
    });
  await aptGet("update");
  await aptGet("install", ...PACKAGES);
  // The package may have started the service already.
  if (!(await ping(machine)).ok) await startEngine(machine, facts, step);
  return "installed";
}

async function startEngine(
  machine: Machine,
  { systemd }: EngineFacts,
  step: Step,
): Promise<string> {
  step.doing("starting");
  await (systemd ? startService(machine) : startDaemon(machine));
  return "started";
}

function ping({ env }: Machine) {
  return ask("docker", ["version", "--format={{.Server.Version}}"], env);
}

async function gatherFacts(machine: Machine): Promise<EngineFacts> {
  const { env } = machine;
  const [{ stderr }, context, client, daemon, apt, systemd] = await Promise.all([
    ping(machine),
    ask("docker", ["context", "inspect", "--format={{.Endpoints.docker.Host}}"], env),
    onPath("docker", env),
    onPath("dockerd", withSystemFolders(env)),
    onPath("apt-get", env),
    isThere("/run/systemd/system"),
  ]);
  return {
    complaint: stderr,
    client: Boolean(client),
    daemon: Boolean(daemon),
    host: context.ok ? context.stdout : env.DOCKER_HOST || LOCAL_HOST,
    root: process.getuid?.() === 0,
    systemd,
    apt: Boolean(apt),
  };
}

async function startService(machine: Machine): Promise<void> {
  const { env, signal } = machine;
  await run("systemctl", ["start", "docker"], { env, signal });
  await untilItAnswers(
    machine,
    () => false,
    async () => "see: journalctl -u docker",
  );
}

/** Without systemd the engine is started as a separate process, which outlives this one. */
async function startDaemon(machine: Machine): Promise<void> {
  const { cache } = machine.folders;
  const logFile = join(cache, "dockerd.log");
  await mkdir(cache, { recursive: true });
  const log = await open(logFile, "w");
  const daemon = spawn("dockerd", [], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    // It starts itself anew for each network and each copied file, a third of which is garbage collection.
    env: { GOGC: "400", ...withSystemFolders(machine.env) },
  });
  let ended = false;
  const onEnd = () => {
    ended = true;
  };
  daemon.once("error", onEnd).once("exit", onEnd).unref();
  await log.close();
  await untilItAnswers(
    machine,
    () => ended,
    async () => {
      const text = await readFile(logFile, "utf8");
      return `dockerd said, in ${logFile}:\n${text.trim().split("\n").slice(-3).join("\n")}`;
    },
  );
}

async function untilItAnswers(
  machine: Machine,
  hasEnded: () => boolean,
  explain: () => Promise<string>,
): Promise<void> {
  const deadline = performance.now() + START_LIMIT;
  while (!(await ping(machine)).ok) {
    if (hasEnded() || performance.now() > deadline) throw new Error(await explain());
    await sleep(200, undefined, { signal: machine.signal });
  }
}

/** Adds the folders of the engine and its tools, which may be missing in an ordinary user's PATH. */
function withSystemFolders(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: [env.PATH, "/usr/sbin", "/sbin"].join(delimiter) };
}
