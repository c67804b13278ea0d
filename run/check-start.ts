/**
 * Refuses to begin with changes that restart nodes where each of them would take a majority: the gate before the
 * first wave. Run by a Command. Looks at the nodes as they are, at the ports that they have now.
 *
 * OWNER: `label=value` of the containers. SETTINGS: JSON array of the settings to come that restart a node, by
 * node, for each wave. CA: PEM of the authorities that certify nodes, where they have TLS.
 */
import { z } from "zod";
import { describeSight, type Sight, stillnessFrom } from "../lib/observed/waiting.ts";
import { judgeStart, type StartVerdict } from "../lib/update/start-gate.ts";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { askMemoryKills } from "../live/engine/memory-kills.ts";
import { askEngine } from "../live/engine/own-nodes.ts";
import { askNodes, LONG_REQUEST_MS } from "../live/monitoring/monitoring.ts";
import { behindIn, observeCluster } from "../live/monitoring/observe-cluster.ts";
import { until } from "../live/until.ts";

/** What hasn't moved for so long won't get well by itself. */
const PATIENCE_MS = 20_000;
const POLL_MS = 500;

const engine = engineFromEnvironment();

await main();

type Hindrance = Exclude<StartVerdict, { readonly kind: "go" }>;

async function main(): Promise<void> {
  await until<void, Sight & { readonly verdict: Hindrance }>(
    async () => {
      const { verdict, behind } = await look();
      if (verdict.kind === "go") return { done: undefined };
      return { shown: { reason: verdict.reason, behind, verdict } };
    },
    {
      pause: POLL_MS,
      limit: PATIENCE_MS,
      lasts: stillnessFrom(Date.now()),
      describe: (sight) => `waiting before anything is changed: ${describeSight(sight)}`,
      say: console.error,
      giveUp: ({ verdict }) => conclude(verdict),
    },
  );
}

async function conclude(verdict: Hindrance): Promise<void> {
  if (verdict.kind === "rather wait") {
    console.error(`${verdict.reason}; going on where that takes no majority`);
    return;
  }
  const kills = await askMemoryKills(engine, z.string().parse(process.env.OWNER));
  const cause = kills === undefined ? "" : `; ${kills}`;
  const cure = verdict.cure === undefined ? "" : ` To get it well: ${verdict.cure}.`;
  console.error(
    `No node was changed, as a majority could be lost: ${verdict.reason}${cause}.${cure} Or set rollout: all to change the nodes whatever state they are in, which is an outage.`,
  );
  process.exitCode = 1;
}

async function look(): Promise<{ readonly verdict: StartVerdict; readonly behind: number }> {
  const { own, silence } = await askEngine(engine, z.string().parse(process.env.OWNER));
  if (silence !== undefined) return { verdict: { kind: "barred", reason: silence }, behind: 0 };
  const waves = readSettings();
  const isPlanned = (name: string) => waves.some((wave) => name in wave);
  // A node that leaves counts while it runs: it is stopped last.
  const nodes = own.filter(({ name, state }) => isPlanned(name) || state === "running");
  const [reports, observed] = await Promise.all([
    askNodes(nodes),
    observeCluster(nodes, LONG_REQUEST_MS),
  ]);
  const looked = nodes.map((node) => ({ ...node, isUp: node.state !== "down" }));
  const verdict = judgeStart({ waves, own: looked, reports, observed });
  return { verdict, behind: behindIn(observed) };
}

/** The settings to come, by node: a record for each wave. */
function readSettings(): Record<string, string>[] {
  const schema = z.array(z.record(z.string(), z.string()));
  return schema.parse(JSON.parse(process.env.SETTINGS ?? "[]"));
}
