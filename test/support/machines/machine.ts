import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { eventually } from "../eventually.ts";
import type { MachineName } from "./directions.ts";
import { type Disk, makeDisk, TCP_PORT } from "./disk.ts";
import type { EngineCertificates } from "./engine-certificates.ts";
import type { Network } from "./network.ts";
import { childrenOf, type NamespaceProcess, programOf, startInNamespaces } from "./processes.ts";
import { type Ssh, USER } from "./ssh.ts";

const INIT = path.join(import.meta.dirname, "init.sh");
const NAMESPACES = ["--net", "--mount", "--uts", "--ipc", "--pid", "--kill-child=KILL"];
const ENGINE = "dockerd";
/** Milliseconds until a machine is up: its engine first starts the containers that ran before. */
const BOOT_LIMIT = 60_000;
/** Milliseconds that an engine may take to stop its containers. */
const STOP_LIMIT = 60_000;
/** Milliseconds that a call of `docker` may take. */
const CALL_LIMIT = 120_000;

/** A machine that runs: its process 1, and that one's parent, which has made the namespaces. */
interface Running {
  readonly parent: NamespaceProcess;
  readonly init: number;
}

/** What a machine is made from. */
export interface MachineArgs {
  readonly name: MachineName;
  readonly folder: string;
  /** Folder with what machines have in `/usr` besides the programs of this system. */
  readonly layer: string;
  /** Parent of its containers' control groups: an absolute path, or it would be in a group of this process. */
  readonly cgroup: string;
  readonly network: Network;
  readonly ssh: Ssh;
  /** Undefined unless its engine is reached by tcp, too. */
  readonly certificates?: EngineCertificates | undefined;
  /** Whether its engine lets containers reach IPv6 addresses of other machines. */
  readonly hasIpv6Containers: boolean;
}

/**
 * A machine with a Docker engine, an sshd and an address of its own. It has the programs of this system, but a disk,
 * processes and a network of its own, and reaches nothing but the other machines and the operator.
 */
export class Machine {
  readonly name: MachineName;
  readonly address: string;
  /** Its IPv6 address. */
  readonly address6: string;
  readonly #args: MachineArgs;
  readonly #disk: Disk;
  #running: Running | undefined;

  private constructor(args: MachineArgs, disk: Disk) {
    this.name = args.name;
    this.address = args.network.addressOf(args.name);
    this.address6 = args.network.address6Of(args.name);
    this.#args = args;
    this.#disk = disk;
  }

  /** Makes a machine that is off. */
  static async create(args: MachineArgs): Promise<Machine> {
    const { name, folder, cgroup, network, ssh, certificates, hasIpv6Containers } = args;
    const tls = await certificates?.forEngine(network.addressOf(name));
    const disk = await makeDisk(folder, {
      ...{ name, cgroup, authorizedKey: await ssh.authorizedKey(), hasIpv6Containers },
      ...(tls ? { tls } : {}),
    });
    await ssh.newHostKey(disk.hostKey, [network.addressOf(name), network.address6Of(name)]);
    return new Machine(args, disk);
  }

  /** The value of `DOCKER_HOST`, with {@link Machines.environment}. */
  get host(): string {
    return `ssh://${USER}@${this.address}`;
  }

  /** The value of `DOCKER_HOST` by tcp, with the certificates of {@link Machines.certPath}. */
  get tcpHost(): string {
    return `tcp://${this.address}:${TCP_PORT}`;
  }

  /** The same as {@link host} by IPv6. */
  get host6(): string {
    return `ssh://${USER}@[${this.address6}]:22`;
  }

  /** The value of `DOCKER_HOST` by which the engine is reached without the network. Another one after each boot. */
  get localHost(): string {
    return `unix://${this.#socket}`;
  }

  /** PID of the machine's process 1. @throws Error if the machine is off. */
  get pid(): number {
    if (!this.#running) throw new Error(`${this.name} is off: boot it`);
    return this.#running.init;
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  /** Runs `docker` over ssh. @returns its stdout. */
  async docker(...args: string[]): Promise<string> {
    return docker(["--host", this.host, ...args], this.#args.ssh.environment);
  }

  /** Runs `docker` beside the network: nothing that happens to packets changes it. @returns its stdout. */
  async localDocker(...args: string[]): Promise<string> {
    return docker(["--host", this.localHost, ...args]);
  }

  /** Runs a program of this system where the machine is in the network. @returns its stdout. */
  async onItsNetwork(...command: string[]): Promise<string> {
    return (await execa("nsenter", [`--target=${this.pid}`, "--net", "--", ...command])).stdout;
  }

  /** Copies an image from this system's engine. */
  async loadImage(tag: string): Promise<void> {
    // Or its absence would show as an archive that the other engine can't read.
    await docker(["image", "inspect", tag]);
    await execa("docker", ["save", tag]).pipe("docker", ["--host", this.localHost, "load"]);
  }

  /** Turns the machine on. Resolves when its engine and its sshd answer. */
  async boot(): Promise<void> {
    if (this.#running) throw new Error(`${this.name} is on already`);
    const { name, folder, layer, network } = this.#args;
    const parent = startInNamespaces(NAMESPACES, ["sh", INIT], {
      NAME: name,
      ADDRESS: this.address,
      GATEWAY: network.gatewayOf(name),
      ADDRESS6: this.address6,
      GATEWAY6: network.gateway6Of(name),
      DISK: this.#disk.folder,
      ROOT: path.join(folder, "root"),
      LAYER: layer,
    });
    let ending: string | undefined;
    void parent.then(({ stderr, shortMessage }) => {
      ending = stderr || shortMessage || "its process 1 ended";
    });
    try {
      const init = await initOf(parent);
      this.#running = { parent, init };
      await network.connect(name, init);
      parent.stdin.write("\n");
      await eventually(async () => ending !== undefined || (await this.#answers()), BOOT_LIMIT);
      if (ending !== undefined) throw new Error(ending);
    } catch (error) {
      await this.end();
      throw new Error(`${name} didn't boot: ${await this.#lastWords()}`, { cause: error });
    }
  }

  /**
   * Cuts its power: nobody gets another packet of it, and all of its processes end at once. What was written to its disk
   * stays, even what was not synced; `Disks` (`power.ts`) lose that.
   */
  async kill(): Promise<void> {
    await this.#args.network.silence(this.name);
    await this.end();
    await this.#args.network.disconnect(this.name);
  }

  /** Ends all of its processes at once, whatever the network hears of it. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (!running) return;
    kill(running.init, "SIGKILL");
    await running.parent;
  }

  /** Stops the engine as an upgrade of Docker does, its containers first. */
  async stopEngine(): Promise<void> {
    kill(await this.#engine(), "SIGTERM");
    await eventually(async () => !(await this.#findEngine()), STOP_LIMIT);
  }

  /** Starts the engine that was stopped. */
  async startEngine(): Promise<void> {
    kill(this.pid, "SIGUSR1");
    await eventually(() => this.#answers(), BOOT_LIMIT);
  }

  /** Freezes the engine: it accepts connections and answers nothing. Its containers run on. */
  async pauseEngine(): Promise<void> {
    kill(await this.#engine(), "SIGSTOP");
  }

  async resumeEngine(): Promise<void> {
    kill(await this.#engine(), "SIGCONT");
  }

  async #engine(): Promise<number> {
    const engine = await this.#findEngine();
    if (engine === undefined) throw new Error(`${this.name}'s engine doesn't run: start it`);
    return engine;
  }

  async #findEngine(): Promise<number | undefined> {
    for (const pid of await childrenOf(this.pid)) {
      if ((await programOf(pid)) === ENGINE) return pid;
    }
    return undefined;
  }

  /** Asked beside the network, which may have been cut. */
  async #answers(): Promise<boolean> {
    return existsSync(this.#in("run/sshd.pid")) && (await ping(this.#socket));
  }

  get #socket(): string {
    return this.#in("run/docker.sock");
  }

  /** A path of the machine's file system. */
  #in(name: string): string {
    return path.join("/proc", `${this.pid}`, "root", name);
  }

  async #lastWords(): Promise<string> {
    const log = await readFile(this.#disk.engineLog, "utf8").catch(() => "its engine didn't begin");
    return log.trim().split("\n").slice(-3).join("\n");
  }
}

async function docker(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  // A client whose connection is dead ignores SIGTERM.
  const limit = { timeout: CALL_LIMIT, killSignal: "SIGKILL" } as const;
  return (await execa("docker", args, { env, ...limit })).stdout;
}

/** Process 1, as soon as its namespaces are there. */
async function initOf(parent: NamespaceProcess): Promise<number> {
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const [init] = parent.pid === undefined ? [] : await childrenOf(parent.pid).catch(() => []);
  if (init !== undefined) return init;
  const { stderr, shortMessage } = await parent;
  throw new Error(stderr || shortMessage);
}

function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({ socketPath, path: "/_ping", timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .once("timeout", () => resolve(false))
      .once("error", () => resolve(false))
      .end();
  });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
