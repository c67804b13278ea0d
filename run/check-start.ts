/**
 * The gate before the first wave: refuses to restart nodes if each restart would cost a majority. Run by a Command. It
 * asks the nodes at their current ports.
 */
import { describeWaitStatus, stallTimerFrom, type WaitStatus } from "../lib/observed/waiting.ts";
import { judgeStart, type StartObservation, type StartVerdict } from "../lib/update/start-gate.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { behindIn } from "../live/monitoring/observe-cluster.ts";
import { until } from "../live/until.ts";
import { type ClusterPort, openCluster } from "./cluster-port.ts";
import { scriptVariables, trustOf } from "./variables.ts";

/** What hasn't changed for this long won't recover by itself. */
const PATIENCE_MS = 20_000;
const POLL_MS = 500;

const variables = scriptVariables.pick({
  OWNER: true,
  SETTINGS: true,
  CA: true,
  SETTINGS_IN: true,
});

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER, SETTINGS, CA, SETTINGS_IN } = variables.parse(env);
  const cluster = openCluster(enginesFromEnvironment(env), OWNER, trustOf(CA), SETTINGS_IN);
  if (!(await mayBegin(SETTINGS, cluster, console.error))) process.exitCode = 1;
}

type Hindrance = Exclude<StartVerdict, { readonly kind: "go" }>;

/**
 * Waits for what recovers by itself, and reports what doesn't.
 *
 * @param waves the new restart settings, by node name, for each wave.
 * @returns whether changes may begin.
 */
export async function mayBegin(
  waves: StartObservation["waves"],
  cluster: ClusterPort,
  say: (line: string) => void,
): Promise<boolean> {
  return await until<boolean, WaitStatus & { readonly verdict: Hindrance }>(
    async () => {
      const { verdict, behind } = await look(waves, cluster);
      if (verdict.kind === "go") return { done: true };
      return { shown: { reason: verdict.reason, behind, verdict } };
    },
    {
      pause: POLL_MS,
      limit: PATIENCE_MS,
      lasts: stallTimerFrom(performance.now()),
      describe: (sight) => `waiting before anything is changed: ${describeWaitStatus(sight)}`,
      say,
      giveUp: async ({ verdict }) => {
        const isRefused = verdict.kind === "blocked";
        say(isRefused ? await describeRefusal(verdict, cluster) : describeHope(verdict));
        return !isRefused;
      },
    },
  );
}

function describeHope({ reason }: Hindrance): string {
  return `${reason}; going on where that takes no majority`;
}

async function describeRefusal(
  verdict: Extract<Hindrance, { readonly kind: "blocked" }>,
  cluster: ClusterPort,
): Promise<string> {
  const kills = await cluster.explainKills();
  const cause = kills === undefined ? "" : `; ${kills}`;
  const remedy = verdict.remedy === undefined ? "" : ` To get it well: ${verdict.remedy}.`;
  return `No node was changed, as a majority could be lost: ${verdict.reason}${cause}.${remedy} Or set rollout: all to change the nodes whatever state they are in, which is an outage.`;
}

async function look(
  waves: StartObservation["waves"],
  cluster: ClusterPort,
): Promise<{ readonly verdict: StartVerdict; readonly behind: number }> {
  const { own, silence } = await cluster.list();
  if (silence !== undefined && own.length === 0)
    return { verdict: { kind: "blocked", reason: silence }, behind: 0 };
  const isPlanned = (name: string) => waves.some((wave) => name in wave);
  // A leaving node counts while it runs: it is stopped last.
  const nodes = own.filter(({ name, state }) => isPlanned(name) || state === "running");
  const [reports, observed] = await Promise.all([cluster.report(nodes), cluster.observe(nodes)]);
  const looked = nodes.map((node) => ({ ...node, isUp: node.state !== "down" }));
  const { place } = cluster;
  const verdict = judgeStart({ waves, own: looked, reports, observed, place });
  return { verdict, behind: behindIn(observed) };
}
