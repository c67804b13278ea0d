/** What the monitoring pages of one node say, as far as readiness goes; `undefined` where it doesn't answer. */
export interface NodeReport {
  readonly name: string;
  /** Server name of the meta leader as this node sees it, `""` while there is none. */
  readonly metaLeader?: string;
  /** Members of the meta group as this node sees it. */
  readonly metaSize?: number;
  /** What `/healthz` complains about, `""` if nothing. */
  readonly health?: string;
  /** Members that lag or are offline; only the meta leader's own view counts (nats-server 2.15). */
  readonly lagging?: readonly string[];
}

/**
 * Says why a cluster isn't ready, or `undefined` when it is: all nodes in **one** meta group, every
 * member current, every node healthy with all streams and consumers that it holds.
 *
 * `/healthz` alone is not enough: two meta groups, each of them healthy, look well to it.
 *
 * @param later nodes of later waves, which needn't run yet; those that do have to be current.
 */
export function whyNotReady(
  reports: readonly NodeReport[],
  later: readonly NodeReport[] = [],
): string | undefined {
  const silent = reports.filter((report) => !isRunning(report));
  if (silent.length > 0) return `no answer from ${names(silent)}`;

  const leaderless = reports.filter(({ metaLeader }) => metaLeader === "");
  if (leaderless.length > 0) return `no meta leader yet on ${names(leaderless)}`;

  const leaders = new Set(reports.map(({ metaLeader }) => metaLeader));
  if (leaders.size > 1) return `more than one meta group, led by ${[...leaders].join(" and ")}`;

  const sizes = reports.map(({ metaSize = 0 }) => metaSize);
  const expected = later.length === 0 ? reports.length : Math.max(...sizes);
  const stray = reports.find(({ metaSize }) => metaSize !== expected);
  if (stray)
    return `${stray.name} knows ${stray.metaSize} of ${expected} members of the meta group`;

  const lagging = laggingMembers([...reports, ...later], later);
  if (lagging.length > 0) return `the meta group waits for ${lagging.join(", ")}`;

  const ill = reports.find(({ health }) => health !== "");
  return ill && `${ill.name}: ${ill.health}`;
}

/**
 * Whether waiting is in vain: with every node before the gate up, and of the later ones those that run,
 * the meta group still has no majority, so that nothing gets better before more of them are started.
 */
export function needsLaterNodes(
  reports: readonly NodeReport[],
  later: readonly NodeReport[],
): boolean {
  const expected = reports.length + later.filter(isRunning).length;
  return expected <= (reports.length + later.length) / 2;
}

/** By the meta leader's own view; a node of a later wave that doesn't run has no one waiting for it. */
function laggingMembers(all: readonly NodeReport[], later: readonly NodeReport[]): string[] {
  const leader = all.find(({ name, metaLeader }) => name === metaLeader);
  const running = new Set(all.filter(isRunning).map(({ name }) => name));
  return (leader?.lagging ?? []).filter((name) => later.every(isRunning) || running.has(name));
}

function isRunning({ metaLeader }: NodeReport): boolean {
  return metaLeader !== undefined;
}

function names(reports: readonly NodeReport[]): string {
  return reports.map(({ name }) => name).join(", ");
}
