/**
 * Refuses to begin with changes that restart nodes while the cluster could lose a majority by them: the gate
 * before the first wave. Run by a Command. Looks at the nodes as they are, at the ports that they have now.
 *
 * OWNER: `label=value` of the containers. SETTINGS: JSON array of the settings to come that restart a node, by
 * node, for each wave. CA: PEM of the authorities that certify nodes, where they have TLS.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { whyNotReady } from "../lib/readiness.ts";
import { askNodes, askWhyNotCurrent } from "./monitoring.ts";
import { askEngine, type OwnNode } from "./own-nodes.ts";

/** What isn't well by then won't get well by itself. */
const DEADLINE_MS = 20_000;
const POLL_MS = 500;

await main();

async function main(): Promise<void> {
  const started = Date.now();
  for (;;) {
    const reason = await look();
    if (reason === undefined) return;
    if (Date.now() - started > DEADLINE_MS) {
      console.error(
        `No node was changed, as a majority could be lost: ${reason}. Put the settings back and bring the cluster back first (npx pulumi up --refresh), or set rollout: all to change its nodes whatever state it is in.`,
      );
      process.exitCode = 1;
      return;
    }
    await sleep(POLL_MS);
  }
}

/** What the cluster lacks; undefined if nothing, or if changing the nodes takes none of it away. */
async function look(): Promise<string | undefined> {
  const waves = readSettings();
  const { own, silence } = await askEngine(z.string().parse(process.env.OWNER));
  if (silence !== undefined) return silence;
  const nodes = nodesAmong(own, Object.assign({}, ...waves));
  const reports = await askNodes(nodes);
  const down = reports.filter(({ health }) => health !== "").map(({ name }) => name);
  const changed = nodes.filter(({ isChanged }) => isChanged).map(({ name }) => name);
  const first = waves.find((wave) => changed.some((name) => name in wave)) ?? {};
  // Nodes that are down lose nothing by a change, nor do those that may be down with them.
  const isRepair = changed.every((name) => down.includes(name));
  if (isRepair || (down.length > 0 && down.every((name) => name in first))) return undefined;
  return whyNotReady(reports) ?? (await askWhyNotCurrent(nodes, true));
}

/** The settings to come, by node: a record for each wave. */
function readSettings(): Record<string, string>[] {
  const schema = z.array(z.record(z.string(), z.string()));
  return schema.parse(JSON.parse(process.env.SETTINGS ?? "[]"));
}

interface FoundNode extends OwnNode {
  /** Whether its container is to be replaced. */
  readonly isChanged: boolean;
}

/** A node that leaves counts while it runs: it is stopped last. */
function nodesAmong(
  own: readonly OwnNode[],
  settings: Readonly<Record<string, string>>,
): FoundNode[] {
  return own.flatMap((node) => {
    const planned = settings[node.name];
    if (planned === undefined)
      return node.state === "running" ? [{ ...node, isChanged: false }] : [];
    return [{ ...node, isChanged: planned !== node.restartSettings }];
  });
}
