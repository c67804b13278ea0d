/**
 * Several machines on this one: each with a Docker engine, an sshd and an address of its own, and between them a network
 * with delays, losses and cuts. Needs root and Linux. Nothing of it is in the user's engine, and all of it ends with the
 * process that has started it.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { whyNotAsRoot } from "../faults.ts";
import { type MachineName, numberOf, type PerPair, type Place } from "./directions.ts";
import { EngineCertificates } from "./engine-certificates.ts";
import { newRun, removeDeadRuns, removeRun } from "./leftovers.ts";
import { Machine } from "./machine.ts";
import { MOST_MACHINES, Network } from "./network.ts";
import { Ssh } from "./ssh.ts";
import { canHaveSshd, sshdLayer } from "./sshd.ts";

const PROGRAMS = [
  ["dockerd", "ip", "iptables", "sysctl", "python3", "ssh", "ssh-keygen"],
  ["unshare", "nsenter", "setpriv", "mount", "umount", "pivot_root"],
].flat();

export interface MachinesArgs {
  /** How many machines, which are `m1`, `m2` and so on. */
  readonly count: number;
  /** Milliseconds, one way. @default 0 everywhere */
  readonly delays?: PerPair;
  /** Images of the user's engine that each machine has. @default none */
  readonly images?: readonly string[];
  /** Whether engines are reached by tcp, too. @default false */
  readonly byTcp?: boolean;
  /** Whether containers reach IPv6 addresses of other machines, as they do by default since Docker 27. @default false */
  readonly ipv6Containers?: boolean;
}

/** Why {@link Machines} aren't possible here; undefined if they are. */
export async function whyNoMachines(): Promise<string | undefined> {
  const reason = await whyNotAsRoot(...PROGRAMS);
  if (reason) return reason;
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  return (await canHaveSshd()) ? undefined : "there is no sshd, nor apt-get to get one";
}

export class Machines implements AsyncDisposable {
  readonly #folder: string;
  readonly #layer: string;
  readonly #network: Network;
  readonly #ssh: Ssh;
  readonly #images: readonly string[];
  readonly #certificates: EngineCertificates | undefined;
  readonly #hasIpv6Containers: boolean;
  readonly #machines: Machine[] = [];
  /** How many were added, or are being added. */
  #count = 0;
  #end: Promise<void> | undefined;

  private constructor(
    [folder, layer]: readonly [string, string],
    network: Network,
    ssh: Ssh,
    { images = [], ipv6Containers = false }: Omit<MachinesArgs, "count">,
    certificates: EngineCertificates | undefined,
  ) {
    this.#folder = folder;
    this.#layer = layer;
    this.#network = network;
    this.#ssh = ssh;
    this.#images = images;
    this.#certificates = certificates;
    this.#hasIpv6Containers = ipv6Containers;
  }

  /** Starts machines, all at once. Removes what earlier runs have left that were killed. */
  static async start({ count, delays = {}, ...args }: MachinesArgs): Promise<Machines> {
    await removeDeadRuns();
    const machines = await Machines.#withoutAny(args);
    try {
      await machines.setDelays(delays);
      const added = Array.from({ length: count }, () => machines.addMachine());
      await Promise.allSettled(added);
      await Promise.all(added);
      return machines;
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #withoutAny(args: Omit<MachinesArgs, "count">): Promise<Machines> {
    const folder = await newRun();
    try {
      const empty = path.join(folder, "empty");
      await mkdir(empty);
      const layer = await sshdLayer(empty);
      const ssh = await Ssh.create(path.join(folder, "ssh"));
      const certificates = args.byTcp
        ? await EngineCertificates.create(path.join(folder, "certificates"))
        : undefined;
      const network = await Network.start(folder);
      return new Machines([folder, layer], network, ssh, args, certificates);
    } catch (error) {
      await removeRun(folder);
      throw error;
    }
  }

  get all(): readonly Machine[] {
    return this.#machines;
  }

  /** Variables by which `docker`, Pulumi and others find an `ssh` that reaches the machines, and knows no other host. */
  get environment(): Readonly<Record<"PATH", string>> {
    return this.#ssh.environment;
  }

  /** `ssh -F` with this file reaches the machines. */
  get sshConfig(): string {
    return this.#ssh.config;
  }

  /** Folder with the operator's certificates for engines that are reached by tcp. */
  get certPath(): string {
    if (!this.#certificates) throw new Error("no engine is reached by tcp: start them so");
    return this.#certificates.folder;
  }

  machine(name: MachineName): Machine {
    const found = this.#machines.find((machine) => machine.name === name);
    if (!found)
      throw new Error(`there is no machine ${name}: ${this.#machines.length} were started`);
    return found;
  }

  addressOf(place: Place): string {
    return this.#network.addressOf(place);
  }

  /** Boots one more machine, with the images that all have from the beginning. */
  async addMachine(): Promise<Machine> {
    if (this.#count === MOST_MACHINES) throw new Error(`${MOST_MACHINES} machines are the most`);
    const name: MachineName = `m${++this.#count}`;
    const folder = path.join(this.#folder, name);
    const machine = await Machine.create({
      name,
      folder,
      layer: this.#layer,
      cgroup: `/${path.basename(this.#folder)}/${name}`,
      network: this.#network,
      ssh: this.#ssh,
      certificates: this.#certificates,
      hasIpv6Containers: this.#hasIpv6Containers,
    });
    this.#machines.push(machine);
    this.#machines.sort((a, b) => numberOf(a.name) - numberOf(b.name));
    await machine.boot();
    for (const image of this.#images) await machine.loadImage(image);
    return machine;
  }

  /** Sets delays in milliseconds, one way; those of other pairs stay. */
  async setDelays(delays: PerPair): Promise<void> {
    await this.#network.change((directions) => directions.setDelays(delays));
  }

  /** Sets shares of packets that are lost, from 0 to 1; those of other pairs stay. */
  async setLosses(losses: PerPair): Promise<void> {
    await this.#network.change((directions) => directions.setLosses(losses));
  }

  /**
   * Drops all packets between two places.
   *
   * @param oneWay only those from `a` to `b`. @default false
   */
  async partition(a: Place, b: Place, { oneWay = false } = {}): Promise<void> {
    await this.#network.change((directions) => {
      directions.cut(a, b);
      if (!oneWay) directions.cut(b, a);
    });
  }

  /** Drops all packets between a place and all others, those that come later included. */
  async isolate(place: Place): Promise<void> {
    await this.#network.change((directions) => directions.isolate(place));
  }

  /** Drops the operator's packets to a machine's sshd. The machine's other ports answer. */
  async silenceSsh(machine: MachineName): Promise<void> {
    await this.#network.change((directions) => directions.silenceSsh(machine));
  }

  /** Ends all of these cuts. Delays and losses stay. */
  async heal(): Promise<void> {
    await this.#network.change((directions) => directions.heal());
  }

  /** Ends all machines at once, and removes everything that they had. */
  [Symbol.asyncDispose](): Promise<void> {
    // Once: its addresses are another run's then.
    this.#end ??= this.#endAll();
    return this.#end;
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.end()));
    await this.#network[Symbol.asyncDispose]();
    await removeRun(this.#folder);
  }
}
