import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Variable of the processes in a group: the folder of the group outside, which their servers belong to. */
const OUTSIDE = "NATS_REGIONS_TEST_OUTSIDE";

/** Linux's groups of processes that share cores (cgroup v1). */
const ROOT = "/sys/fs/cgroup/cpu";

/** While all want a core, all containers together get eight times as much of it as all tests: they have 1,024. */
const SHARES = 128;

/** No such groups, as with cgroup v2, or no right to make one. */
const NO_GROUPS = ["ENOENT", "EACCES", "EPERM", "EROFS"];

/**
 * A group for the processes of a test run, which lets others go first. On two cores with four test files at a time,
 * servers would otherwise wait so long for a core that elections come late.
 */
export class CpuGroup implements Disposable {
  readonly #folder: string;

  private constructor(name: string) {
    const outside = path.join(ROOT, ownGroup());
    this.#folder = path.join(ROOT, name);
    // Of an interrupted run, or of another one.
    if (!existsSync(this.#folder)) mkdirSync(this.#folder);
    writeFileSync(path.join(this.#folder, "cpu.shares"), `${SHARES}`);
    move(process.pid, this.#folder);
    process.env[OUTSIDE] = outside;
  }

  /** Puts this process into the group, and those that it starts. Undefined if there is no such group. */
  static enter(name = "nats-regions-tests"): CpuGroup | undefined {
    try {
      return new CpuGroup(name);
    } catch (error) {
      if (NO_GROUPS.includes(codeOf(error))) return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    leaveGroup(process.pid);
    delete process.env[OUTSIDE];
    try {
      rmdirSync(this.#folder);
    } catch (error) {
      // Another run is in it, or a process that this one has left behind.
      if (codeOf(error) !== "EBUSY") throw error;
    }
  }
}

/** Whether this process is in a group. */
export function isInGroup(): boolean {
  return process.env[OUTSIDE] !== undefined;
}

/** Takes a process out of the group, if it is in one. */
export function leaveGroup(pid: number | undefined): void {
  const outside = process.env[OUTSIDE];
  if (outside !== undefined && pid !== undefined) move(pid, outside);
}

/** The path of this process' group below {@link ROOT}. */
function ownGroup(): string {
  return (
    readFileSync("/proc/self/cgroup", "utf8").match(
      /^\d+:(?:[\w,]*,)?cpu(?:,[\w,]*)?:(.*)$/m,
    )?.[1] ?? "/"
  );
}

function move(pid: number, folder: string): void {
  writeFileSync(path.join(folder, "cgroup.procs"), `${pid}`);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}
