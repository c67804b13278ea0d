/**
 * Refuses to begin with changes that restart nodes while the cluster could lose a majority by them: the gate
 * before the first wave. Run by a Command. Looks at the nodes as they are, at the ports that they have now.
 *
 * OWNER: `label=value` of the containers. NODE_LABEL, SETTINGS_LABEL: labels with a container's node, and with
 * the settings that it was made with. SETTINGS: JSON array of those to come, by node, for each wave.
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { MONITOR_PORT } from "../lib/nats-conf.ts";
import { publishedUrl } from "../lib/published-ports.ts";
import { whyNotReady } from "../lib/readiness.ts";
import { askNodes, askWhyNotCurrent, type Monitor } from "./monitoring.ts";

/** What isn't well by then won't get well by itself. */
const DEADLINE_MS = 20_000;
const POLL_MS = 500;
/** Nothing answers there, as it should be for a container that is down. */
const NOWHERE = "http://127.0.0.1:0";

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
  const nodes = await findNodes(Object.assign({}, ...waves));
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

interface FoundNode extends Monitor {
  /** Whether its container is to be replaced. */
  readonly isChanged: boolean;
}

async function findNodes(settings: Readonly<Record<string, string>>): Promise<FoundNode[]> {
  const { OWNER, NODE_LABEL, SETTINGS_LABEL } = process.env;
  const labels = [NODE_LABEL, SETTINGS_LABEL].map((label) => `{{.Label "${label}"}}`);
  const format = `--format=${[...labels, "{{.Ports}}"].join("\t")}`;
  const args = ["ps", "--all", `--filter=label=${OWNER}`, `--filter=label=${NODE_LABEL}`, format];
  const { stdout } = await promisify(execFile)("docker", args);
  const rows = stdout.split("\n").filter((row) => row !== "");
  return rows.map((row) => {
    const [name = "", found, ports = ""] = row.split("\t");
    const url = publishedUrl(ports, MONITOR_PORT) ?? NOWHERE;
    return { name, url, isChanged: settings[name] !== found };
  });
}
