import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Step } from "../steps.mjs";
import { unavailable } from "./errors.ts";
import { isThere, type Machine, onPath } from "./machine.ts";
import type { Part } from "./part.ts";
import { ask, run } from "./process.ts";

/** What there is to know of Docker on a machine where no engine answers. */
export interface EngineFacts {
  /** Why `docker version` found no engine, in its own words. */
  readonly complaint: string;
  readonly client: boolean;
  readonly daemon: boolean;
  /** Where the client looks for the engine. */
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
/** How long an engine may take to answer once it was started, in milliseconds. */
const START_LIMIT = 60_000;

const LET_YOURSELF_IN = 'let yourself use it: sudo usermod -aG docker "$USER", then log in again.';

/** Decides how to get an engine that answers. One that the user chose is the user's to start. */
export function planEngine(facts: EngineFacts): EnginePlan {
  if (facts.host !== LOCAL_HOST) {
    return refuse(
      facts.client
        ? `The engine ${facts.host} was chosen by DOCKER_HOST or a docker context: start it, or choose another.`
        : "Install the docker command (docs.docker.com/get-docker).",
    );
  }
  if (!facts.client || !facts.daemon) return planInstall(facts);
  if (/permission denied/i.test(facts.complaint)) {
    return refuse(`Docker runs, but this user may not use it: ${LET_YOURSELF_IN}`);
  }
  const start = facts.systemd ? "systemctl" : "dockerd";
  if (facts.root) return { action: start };
  return refuse(`Start Docker: sudo ${facts.systemd ? "systemctl start docker" : "dockerd"}`);
}

function planInstall({ root, apt }: EngineFacts): EnginePlan {
  if (!apt) return refuse("Install Docker (docs.docker.com/get-docker) and start it.");
  if (root) return { action: "install" };
  const command = `sudo apt-get install -y ${PACKAGES.join(" ")}`;
  return refuse(`Install Docker: ${command}\nand ${LET_YOURSELF_IN}`);
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
      if (plan.action === "refuse") {
        const reason = facts.complaint.split("\n").at(-1) ?? "";
        throw unavailable(step.label, [{ way: "docker", reason }], plan.advice, machine.env);
      }
      if (plan.action === "install") {
        await installPackages(machine, step);
        // Where services start as they are installed, it answers by now.
        if ((await ping(machine)).ok) return `installed ${PACKAGES[0]}`;
      }
      step.doing("starting");
      await (facts.systemd ? startService(machine) : startDaemon(machine));
      return plan.action === "install" ? `installed ${PACKAGES[0]} and started` : "started";
    },
  };
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

async function installPackages({ env, signal }: Machine, step: Step): Promise<void> {
  const aptGet = (...args: string[]) =>
    run("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-y", ...args], {
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
      signal,
      onLine: (line) => step.detail(line),
    });
  step.doing(`installing ${PACKAGES.join(", ")}`);
  await aptGet("update");
  await aptGet("install", ...PACKAGES);
}

async function startService(machine: Machine): Promise<void> {
  await run("systemctl", ["start", "docker"], { env: machine.env, signal: machine.signal });
  await untilItAnswers(machine, async () => "see: journalctl -u docker");
}

/** Without systemd the engine becomes a process of its own, which outlives this one. */
async function startDaemon(machine: Machine): Promise<void> {
  await mkdir(machine.folders.cache, { recursive: true });
  const logFile = join(machine.folders.cache, "dockerd.log");
  const log = await open(logFile, "w");
  const daemon = spawn("dockerd", [], {
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    env: withSystemFolders(machine.env),
  });
  let ended = false;
  for (const event of ["error", "exit"]) {
    daemon.once(event, () => {
      ended = true;
    });
  }
  daemon.unref();
  await untilItAnswers(
    machine,
    async () => `${logFile} ends: ${(await readFile(logFile, "utf8")).trim().slice(-400)}`,
    () => ended,
  );
  await log.close();
}

async function untilItAnswers(
  machine: Machine,
  explain: () => Promise<string>,
  hasEnded = () => false,
): Promise<void> {
  const deadline = performance.now() + START_LIMIT;
  while (!(await ping(machine)).ok) {
    if (hasEnded() || performance.now() > deadline) {
      const reason = await explain();
      throw unavailable(
        "Docker engine",
        [{ way: "started", reason }],
        "Start it by hand.",
        machine.env,
      );
    }
    await sleep(200, undefined, { signal: machine.signal });
  }
}

/** The engine and its tools lie where an ordinary user's PATH may not lead. */
function withSystemFolders(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: [env.PATH, "/usr/sbin", "/sbin"].join(delimiter) };
}
