/** Data volumes on separate disks, which can lose power and be full. Needs root and Linux. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { NODE_USER } from "../../lib/nodes/node-files.ts";
import type { NodePlan } from "../../lib/plan/plan.ts";
import { eventually } from "./eventually.ts";
import { containersOf, docker, type Fault, whyNotAsRoot } from "./faults.ts";

const DISK_BYTES = 128 * 1024 ** 2;
/**
 * Freezes processes, then shuts down each ext4 at once, in the state of its disk: what wasn't synced is lost, including
 * the journal's last transaction. Servers that ran on would see a failing disk, which a power cut doesn't cause. Perl
 * calls `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`, because node has no ioctl.
 */
const SHUT_DOWN =
  'kill("STOP", split(",", shift)); $flags = pack("L", 2); for (@ARGV) { sysopen(FS, $_, 0) && ioctl(FS, 0x8004587d, $flags) or die "$_: $!\n" }';

/** Why {@link Disks} isn't possible here; undefined if it is. */
export function whyNoDisks(): Promise<string | undefined> {
  return whyNotAsRoot("perl", "mkfs.ext4", "losetup", "mount", "umount");
}

/** An ext4 in a file for each of some nodes, mounted over the node's data volume. */
export class Disks implements AsyncDisposable {
  readonly #folder: string;
  /** Mount points of the nodes' disks. */
  readonly #mounts = new Map<string, string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Moves the nodes' data to disks, and starts the nodes again. */
  static async under(nodes: readonly NodePlan[]): Promise<Disks> {
    const disks = new Disks(await mkdtemp(path.join(tmpdir(), "nats-regions-disks-")));
    try {
      await docker("stop", ...containersOf(nodes));
      for (const node of nodes) await disks.#move(node);
      await docker("start", ...containersOf(nodes));
    } catch (error) {
      await disks[Symbol.asyncDispose]();
      throw error;
    }
    return disks;
  }

  /** All of the nodes' disks lose power at the same moment, together with the servers. */
  readonly withoutPower: Fault = {
    inject: async (nodes) => {
      const format = "--format={{.State.Pid}}";
      const pids = (await docker("inspect", format, ...containersOf(nodes))).split("\n").join(",");
      await execa("perl", ["-e", SHUT_DOWN, pids, ...nodes.map((node) => this.#mountOf(node))]);
      await docker("kill", "--signal=KILL", ...containersOf(nodes));
    },
    restore: async (nodes) => {
      for (const node of nodes) await this.#remount(node);
      await docker("start", ...containersOf(nodes));
    },
  };

  /** The nodes' disks are full. A server that failed to write needs a restart, or JetStream stays disabled. */
  readonly full: Fault = {
    inject: async (nodes) => {
      for (const node of nodes) {
        await fill(this.#fillerOf(node));
      }
    },
    restore: async (nodes) => {
      for (const node of nodes) await rm(this.#fillerOf(node));
      await docker("restart", ...containersOf(nodes));
    },
  };

  /** Unmounts all disks and kills the nodes on them. The volumes then are as they were before. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [container, mount] of this.#mounts) {
      await execa("docker", ["kill", container], { reject: false });
      await execa("umount", ["--lazy", mount], { reject: false });
    }
    await rm(this.#folder, { recursive: true });
  }

  async #move({ containerName, dataVolume }: NodePlan): Promise<void> {
    const mount = await docker("volume", "inspect", "--format={{.Mountpoint}}", dataVolume);
    const disk = this.#diskOf(containerName);
    await writeFile(disk, "");
    await truncate(disk, DISK_BYTES);
    const owner = `root_owner=${NODE_USER}:${NODE_USER}`;
    await execa("mkfs.ext4", ["-q", "-b", "4096", "-m", "0", "-E", owner, "-d", mount, disk]);
    await mountDisk(disk, mount);
    this.#mounts.set(containerName, mount);
  }

  /** While any process has the old mount, mounting again returns the file system that was shut down. */
  async #remount(node: NodePlan): Promise<void> {
    const disk = this.#diskOf(node.containerName);
    const mount = this.#mountOf(node);
    await eventually(async () => (await execa("umount", [mount])).exitCode === 0);
    await eventually(async () => {
      const { stdout } = await execa("losetup", ["--associated", disk]);
      return stdout === "";
    });
    await mountDisk(disk, mount);
  }

  #diskOf(container: string): string {
    return path.join(this.#folder, `${container}.img`);
  }

  #fillerOf(node: NodePlan): string {
    return path.join(this.#mountOf(node), "filler");
  }

  #mountOf({ containerName }: NodePlan): string {
    const mount = this.#mounts.get(containerName);
    if (!mount) throw new Error(`${containerName} has no disk of its own`);
    return mount;
  }
}

/** Repeated, because blocks that were reserved for delayed writes become free again. */
async function fill(file: string): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const options = ["bs=4096", "oflag=append", "conv=notrunc,fsync"];
    await execa("dd", ["if=/dev/zero", `of=${file}`, ...options], { reject: false });
  }
}

async function mountDisk(disk: string, mount: string): Promise<void> {
  await execa("mount", ["-o", "loop", disk, mount]);
}
