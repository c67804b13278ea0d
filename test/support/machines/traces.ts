import { readdir, readFile, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { execa } from "execa";

/**
 * Everything of machines that can be seen outside of their namespaces, sorted. Of mounts, rules and names of network
 * namespaces there should be none of any run, so they are those of the whole system.
 *
 * @param pids of the processes that have started the machines.
 */
export async function traces(...pids: readonly number[]): Promise<string[]> {
  const [links, rules, namespaces, filters, processes] = await Promise.all([
    output("ip", "-oneline", "link"),
    output("ip", "rule"),
    output("ip", "netns"),
    output("iptables-save"),
    output("ps", "-eo", "ppid,pid,args"),
  ]);
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const groups = await readdir("/sys/fs/cgroup", { recursive: true });
  const folders = await readdir(tmpdir());
  const either = `(${pids.join("|")})`;
  const matching = (lines: readonly string[], pattern: string) =>
    lines.filter((line) => new RegExp(pattern).test(line));
  return [
    ...matching(links, `machines of process ${either}\\b`),
    ...matching([...groups, ...folders], `nats-regions-machines-${either}-`),
    // Children, and what has lost its parent.
    ...matching(processes, `^ *(1|${either}) .*/machines/(init\\.sh|wan\\.py)`),
    ...matching([...mounts, ...filters], "nats-regions-machines|nr-machines|10\\.99\\."),
    ...rules,
    ...namespaces,
  ].sort();
}

/** Processes of this system in a PID namespace. @param pid of one of them. */
export async function processesWith(pid: number): Promise<number[]> {
  const own = await readlink(`/proc/${pid}/ns/pid`);
  const all = (await readdir("/proc")).map(Number).filter(Boolean);
  const found = await Promise.all(
    all.map(async (other) => (await readlink(`/proc/${other}/ns/pid`).catch(() => "")) === own),
  );
  return all.filter((_, index) => found[index]);
}

async function output(file: string, ...args: string[]): Promise<string[]> {
  return (await execa(file, args)).stdout.split("\n").filter(Boolean);
}
