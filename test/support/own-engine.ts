/** A Docker engine in addition to the user's, which tests can stop and start. Needs root and Linux. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { leaveGroup } from "../../tools/commands/cpu-group.ts";
import { eventually } from "./eventually.ts";
import { whyNotAsRoot } from "./faults.ts";

/** A range that is probably unused: the first half for the default bridge, the second for networks. */
const RANGE = "10.213.112.0/20";
const BRIDGE_ADDRESS = "10.213.112.1/24";
const NETWORKS = "base=10.213.120.0/21,size=24";
const IN_RANGE = /^10\.213\.1(1[2-9]|2[0-7])\./;
/**
 * Accepts packets between nodes, because the rules of the user's engine drop those of bridges that it doesn't know.
 */
const AMONG_NODES = ["FORWARD", "--source", RANGE, "--destination", RANGE, "--jump", "ACCEPT"];
/** Milliseconds until the engine answers: after a kill, it first stops its containers. */
const START_LIMIT = 90_000;
/** Milliseconds that the engine may take to stop all containers, each of which has 30 s. */
const STOP_LIMIT = 60_000;

/** SIGTERM asks it to stop, SIGKILL ends it at once. */
export type Signal = "SIGTERM" | "SIGKILL";

/** Why {@link OwnEngine} isn't possible here; undefined if it is. */
export function whyNoOwnEngine(): Promise<string | undefined> {
  return whyNotAsRoot("dockerd", "ip", "iptables", "umount");
}

/**
 * A `dockerd` with its own folders, containerd and bridge. It creates no packet filters, because two engines would
 * remove each other's: its proxies publish ports.
 */
export class OwnEngine implements AsyncDisposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "nats-regions-engine-"));
  readonly #bridge = `nr-${randomBytes(4).toString("hex")}`;
  #daemon: Daemon | undefined;
  #isKilled = false;

  private constructor() {
    // A file of its own, because the user's engine may have one at the default path.
    writeFileSync(this.#in("daemon.json"), "{}");
  }

  /** Starts an engine with images of the user's engine. */
  static async start(...images: readonly string[]): Promise<OwnEngine> {
    const engine = new OwnEngine();
    try {
      await execa("ip", ["link", "add", engine.#bridge, "type", "bridge"]);
      await execa("ip", ["address", "add", BRIDGE_ADDRESS, "dev", engine.#bridge]);
      await execa("ip", ["link", "set", engine.#bridge, "up"]);
      await execa("iptables", ["--wait", "--insert", ...AMONG_NODES]);
      // Only at the first start: networks keep the pools. If an engine that has run before starts with such an option,
      // it removes docker0, even another engine's (moby, `initNetworkController`).
      await engine.#run(`--default-address-pool=${NETWORKS}`);
      const load = ["--host", engine.host, "load"];
      for (const image of images) await execa("docker", ["save", image]).pipe("docker", load);
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The value of `DOCKER_HOST`. */
  get host(): string {
    return `unix://${this.#in("docker.sock")}`;
  }

  /** Stops the engine by a signal, and starts it again this many milliseconds after its end. */
  async restart(signal: Signal, milliseconds: number): Promise<void> {
    await this.#stop(signal);
    await sleep(milliseconds);
    await this.#run();
  }

  /** Stops the engine with its containers, and removes everything that it had. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // A killed engine leaves its containers running; started again, it stops them.
      if (this.#isKilled) await this.#run();
      await this.#stop("SIGTERM");
    } finally {
      await this.#sweep();
    }
  }

  async #sweep(): Promise<void> {
    const quietly = (file: string, ...args: string[]) => execa(file, args, { reject: false });
    await quietly("iptables", "--wait", "--delete", ...AMONG_NODES);
    for (const link of await linksInRange()) await quietly("ip", "link", "delete", link);
    for (const mount of await mountsIn(this.#folder)) await quietly("umount", "--lazy", mount);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(...more: string[]): Promise<void> {
    const log = this.#in("log");
    const daemon = startDaemon([...this.#flags(), ...more], log);
    this.#daemon = daemon;
    this.#isKilled = false;
    let hasEnded = false;
    void daemon.then(() => {
      hasEnded = true;
    });
    await eventually(async () => {
      if (hasEnded) throw new Error(await lastWords(log));
      await execa("docker", ["--host", this.host, "version"]);
      return true;
    }, START_LIMIT);
  }

  #flags(): string[] {
    return [
      `--data-root=${this.#in("data")}`,
      `--exec-root=${this.#in("exec")}`,
      `--pidfile=${this.#in("pid")}`,
      `--config-file=${this.#in("daemon.json")}`,
      `--host=${this.host}`,
      `--bridge=${this.#bridge}`,
      "--iptables=false",
      "--ip6tables=false",
      "--ip-forward=false",
      "--ip-masq=false",
      "--userland-proxy=true",
    ];
  }

  async #stop(signal: Signal): Promise<void> {
    this.#daemon?.kill(signal);
    this.#isKilled = signal === "SIGKILL";
    await this.#daemon;
    // The engine's containerd was killed with it. Until init has reaped that process, the next dockerd would think it
    // is alive.
    rmSync(this.#in("exec/containerd/containerd.pid"), { force: true });
  }

  #in(name: string): string {
    return path.join(this.#folder, name);
  }
}

type Daemon = ReturnType<typeof startDaemon>;

function startDaemon(flags: readonly string[], log: string) {
  const output = { file: log, append: true };
  const daemon = execa("dockerd", flags, {
    reject: false,
    stdin: "ignore",
    stdout: output,
    stderr: output,
    forceKillAfterDelay: STOP_LIMIT,
  });
  leaveGroup(daemon.pid);
  return daemon;
}

async function lastWords(log: string): Promise<string> {
  const { stdout } = await execa("tail", ["-n", "3", log]);
  return `dockerd ended: ${stdout}`;
}

/** The bridges of networks outlive an engine that is killed. */
async function linksInRange(): Promise<string[]> {
  const { stdout } = await execa("ip", ["-oneline", "-family", "inet", "address", "show"]);
  return stdout.split("\n").flatMap((line) => {
    const [, link = "", , address = ""] = line.split(/\s+/);
    return IN_RANGE.test(address) ? [link] : [];
  });
}

/** Innermost first. */
async function mountsIn(folder: string): Promise<string[]> {
  const { stdout } = await execa("findmnt", ["--noheadings", "--list", "--output=TARGET"]);
  return stdout
    .split("\n")
    .filter((mount) => mount.startsWith(folder))
    .reverse();
}
