/** What Linux tells of processes, see proc(5). Elsewhere, it tells of none. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** CPU time so far, of its own, in clock ticks: 100 a second. */
  readonly ticks: number;
  /** Resident memory in pages of 4 KiB. */
  readonly pages: number;
}

/** All processes, by their ids: parents come before their children. */
export function readProcesses(): readonly ProcessStat[] {
  if (!existsSync("/proc")) return [];
  const pids = readdirSync("/proc")
    .map(Number)
    .filter(Boolean)
    .sort((a, b) => a - b);
  return pids.flatMap((pid) => {
    const stat = readProcess(pid, "stat");
    if (stat === "") return [];
    // The fields after the name, from the state on.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [parent = 0, user = 0, system = 0, pages = 0] = [1, 11, 12, 21].map((at) => fields[at]);
    return [{ pid, parent, ticks: user + system, pages }];
  });
}

/** A file of a process; empty if the process has ended. */
export function readProcess(pid: number, file: "cmdline" | "smaps_rollup" | "stat"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
