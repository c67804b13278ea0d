import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Variable that is set for the processes of a group: its folder. */
export const CPU_GROUP = "NATS_REGIONS_TEST_CPU_GROUP";

/** Linux's groups of processes that share cores (cgroup v1). */
const ROOT = "/sys/fs/cgroup/cpu";

/** While all want a core, a container gets eight times as much of it as all tests together: it has 1,024. */
const SHARES = 128;

/** No such groups, as in cgroup v2, or no right to make one. */
const NO_GROUPS = ["ENOENT", "EACCES", "EPERM", "EROFS"];

/**
 * A group for the processes of a test run, who let others go first. Servers that wait for a core elect leaders late, and
 * nobody has two cores do the work of four test files beside those of servers.
 */
export class CpuGroup implements Disposable {
  readonly folder = path.join(ROOT, "nats-regions-tests");

  private constructor() {
    // Of an interrupted run, or of another one.
    if (!existsSync(this.folder)) mkdirSync(this.folder);
    writeFileSync(path.join(this.folder, "cpu.shares"), `${SHARES}`);
    move(process.pid, this.folder);
  }

  /** Puts this process into the group, and those that it starts. Undefined if there is no such group. */
  static enter(): CpuGroup | undefined {
    try {
      return new CpuGroup();
    } catch (error) {
      if (NO_GROUPS.includes(codeOf(error))) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    leave(process.pid);
    try {
      rmdirSync(this.folder);
    } catch (error) {
      // Another run is in it, too.
      if (codeOf(error) !== "EBUSY") throw error;
    }
  }
}

/** Takes a process out of the group. */
export function leave(pid: number): void {
  move(pid, ROOT);
}

function move(pid: number, folder: string): void {
  writeFileSync(path.join(folder, "cgroup.procs"), `${pid}`);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}
