/** A Docker engine besides the user's, to be stopped and started again. For root, on Linux. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { eventually } from "./eventually.ts";
import { whyNotAsRoot } from "./faults.ts";

/** Unlikely to be anybody else's; the first half is the default bridge's, the second for networks. */
const RANGE = "10.213.112.0/20";
const BRIDGE_ADDRESS = "10.213.112.1/24";
const NETWORKS = "base=10.213.120.0/21,size=24";
const IN_RANGE = /^10\.213\.1(1[2-9]|2[0-7])\./;
/** Packets from one node to another: the user's engine has the kernel drop what it doesn't know of. */
const AMONG_NODES = ["FORWARD", "--source", RANGE, "--destination", RANGE, "--jump", "ACCEPT"];
/** Milliseconds until the engine answers: it stops the containers of one that was killed before. */
const START_LIMIT = 90_000;
/** Milliseconds that the engine has to stop all containers, which have 30 s each. */
const STOP_LIMIT = 60_000;

/** By which it is asked to stop, or gone at once. */
export type Signal = "SIGTERM" | "SIGKILL";

/** Why {@link OwnEngine} can't be had here; undefined where it can. */
export function whyNoOwnEngine(): Promise<string | undefined> {
  return whyNotAsRoot("dockerd", "ip", "iptables", "umount");
}

/**
 * A `dockerd` with folders, a containerd and a bridge of its own. It makes no packet filters, as two engines would
 * remove each other's: ports are published by its proxies.
 */
export class OwnEngine implements AsyncDisposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "nats-regions-engine-"));
  readonly #bridge = `nr-${randomBytes(4).toString("hex")}`;
  #daemon: Daemon | undefined;
  #isKilled = false;

  private constructor() {
    // Not the user's, who may have one by the usual name.
    writeFileSync(this.#in("daemon.json"), "{}");
  }

  /** Starts an engine that has images of the user's. */
  static async start(...images: readonly string[]): Promise<OwnEngine> {
    const engine = new OwnEngine();
    try {
      await execa("ip", ["link", "add", engine.#bridge, "type", "bridge"]);
      await execa("ip", ["address", "add", BRIDGE_ADDRESS, "dev", engine.#bridge]);
      await execa("ip", ["link", "set", engine.#bridge, "up"]);
      await execa("iptables", ["--wait", "--insert", ...AMONG_NODES]);
      // Networks keep what they are given now. Whenever an engine that has been there before starts with such an
      // option, it removes docker0, whosever that is (moby, `initNetworkController`).
      await engine.#run(`--default-address-pool=${NETWORKS}`);
      const load = ["--host", engine.host, "load"];
      for (const image of images) await execa("docker", ["save", image]).pipe("docker", load);
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** As `DOCKER_HOST` has it. */
  get host(): string {
    return `unix://${this.#in("docker.sock")}`;
  }

  /** Stops the engine by a signal, and starts it again so many milliseconds after it has ended. */
  async restart(signal: Signal, milliseconds: number): Promise<void> {
    await this.#stop(signal);
    await sleep(milliseconds);
    await this.#run();
  }

  /** Stops the engine with its containers, and removes all that it had. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // One that was killed has left its containers running, and stops them when it is back.
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
    // Its containerd has died with it; until init has reaped that, the next dockerd would take it to be alive.
    rmSync(this.#in("exec/containerd/containerd.pid"), { force: true });
  }

  #in(name: string): string {
    return path.join(this.#folder, name);
  }
}

type Daemon = ReturnType<typeof startDaemon>;

function startDaemon(flags: readonly string[], log: string) {
  const output = { file: log, append: true };
  return execa("dockerd", flags, {
    reject: false,
    stdin: "ignore",
    stdout: output,
    stderr: output,
    forceKillAfterDelay: STOP_LIMIT,
  });
}

async function lastWords(log: string): Promise<string> {
  const { stdout } = await execa("tail", ["-n", "3", log]);
  return `dockerd ended: ${stdout}`;
}

/** Bridges of networks outlive an engine that is killed. */
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
