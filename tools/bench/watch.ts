/** What the processes behind a command cost while it runs (Linux only). */
import { type ProcessStat, readProcess, readProcesses } from "./proc.ts";

/** Kinds of processes of a command, by a part of their command lines; the first match counts. */
const OWN_KINDS = [
  ["dynamic provider", /cmd\/dynamic-provider|pulumi-resource-pulumi-nodejs/],
  ["program", /cmd\/run\/index/],
  ["language host", /pulumi-language-nodejs/],
  ["docker plugin", /(pulumi-resource|terraform-provider)-docker/],
  ["command plugin", /pulumi-resource-command/],
  ["jetstream plugin", /terraform-provider-jetstream/],
  ["CLI", /\/versions\/[^ ]*\/bin\/pulumi |^\S*tofu /],
  ["wrapper", /bin\/pulumi |pulumi\.mjs/],
  ["docker CLI", /^\S*docker /],
  ["scripts", /nats-regions\/run/],
] as const;

/** Processes that run for the command, but aren't started by it. */
const SHARED_KINDS = [
  ["nats-server", /^\S*nats-server /],
  ["engine", /^\S*(dockerd|containerd|containerd-shim\S*|runc|docker-proxy) /],
] as const;

const OTHERS = "others";

export type OwnKind = (typeof OWN_KINDS)[number][0] | typeof OTHERS;
export type SharedKind = (typeof SHARED_KINDS)[number][0];
export type Kind = OwnKind | SharedKind;

/** The kinds that are processes of the command. */
export const OWN: readonly OwnKind[] = [...OWN_KINDS.map(([kind]) => kind), OTHERS];
export const SHARED: readonly SharedKind[] = SHARED_KINDS.map(([kind]) => kind);
export const KINDS: readonly Kind[] = [...OWN, ...SHARED];

/** What the processes behind one run of a command cost. */
export interface ProcessCosts {
  /** User and system time by kind, in seconds. A kind that didn't run is missing. */
  readonly cpuSeconds: Readonly<Partial<Record<Kind, number>>>;
  /** The most memory that the command and its descendants had at once, MiB; shared memory counts once. */
  readonly peakMiB: number;
}

/** Finds processes that live for some hundredths of a second, and makes those that it watches wait for a core. */
export const CLOSELY_MS = 10;
/** Finds the memory of those that live longer, and takes little time. */
export const LOOSELY_MS = 200;
/** Looks after which a process keeps its command line. */
const YOUNG = 20;
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1024;

/** A process as it was last seen. */
interface Sighting {
  readonly kind: Kind | undefined;
  /** CPU time that it had before the command started. */
  readonly ticksBefore: number;
  readonly ticks: number;
  readonly looks: number;
}

/**
 * Watches a command's processes, from its start on. If closely, their CPU time is right, but the command takes longer
 * than it would. If loosely, it is the other way round. Memory is right both ways.
 *
 * @param root the command's process.
 * @param lookMs {@link CLOSELY_MS} or {@link LOOSELY_MS}.
 * @returns a function that ends the watch.
 */
export function watch(root: number, lookMs: number): () => ProcessCosts {
  const family = new Set([root]);
  const seen = new Map<number, Sighting>();
  let peakMiB = 0;
  let isFirst = true;
  let memoryAt = 0;
  const look = () => {
    for (const stat of readProcesses()) {
      if (family.has(stat.parent)) family.add(stat.pid);
      see(stat, family.has(stat.pid), isFirst, seen);
    }
    isFirst = false;
    // Reading memory takes ten times as long as CPU time.
    if (performance.now() - memoryAt < LOOSELY_MS) return;
    peakMiB = Math.max(peakMiB, memoryOf(family));
    memoryAt = performance.now();
  };
  look();
  const looking = setInterval(look, lookMs);
  return () => {
    clearInterval(looking);
    return { cpuSeconds: secondsByKind([...seen.values()]), peakMiB };
  };
}

function see(
  { pid, ticks }: ProcessStat,
  isOwn: boolean,
  isFirst: boolean,
  seen: Map<number, Sighting>,
): void {
  const before = seen.get(pid);
  const looks = (before?.looks ?? 0) + 1;
  // A process that was just started still has its parent's command line, and one that has ended has none.
  const commandLine = looks > YOUNG ? "" : readProcess(pid, "cmdline").replaceAll("\0", " ");
  seen.set(pid, {
    kind: commandLine === "" ? before?.kind : kindOf(commandLine, isOwn),
    ticksBefore: before?.ticksBefore ?? (isFirst && !isOwn ? ticks : 0),
    ticks,
    looks,
  });
}

function secondsByKind(sightings: readonly Sighting[]): ProcessCosts["cpuSeconds"] {
  const kinds = KINDS.map((kind) => {
    const ofKind = sightings.filter((sighting) => sighting.kind === kind);
    const ticks = ofKind.reduce((sum, each) => sum + each.ticks - each.ticksBefore, 0);
    return [kind, ticks / TICKS_PER_SECOND] as const;
  });
  return Object.fromEntries(kinds.filter(([, seconds]) => seconds > 0));
}

/** The kind of a process by its command line; `undefined` if it has nothing to do with the command. */
export function kindOf(commandLine: string, isOwn: boolean): Kind | undefined {
  if (isOwn) return OWN_KINDS.find(([, pattern]) => pattern.test(commandLine))?.[0] ?? OTHERS;
  return SHARED_KINDS.find(([, pattern]) => pattern.test(commandLine))?.[0];
}

/** Proportional set size of processes, in MiB. */
function memoryOf(pids: ReadonlySet<number>): number {
  const kib = [...pids].map((pid) => {
    const pss = readProcess(pid, "smaps_rollup").match(/^Pss:\s+(\d+)/m)?.[1];
    return Number(pss ?? 0);
  });
  return kib.reduce((sum, each) => sum + each, 0) / KIB_PER_MIB;
}
