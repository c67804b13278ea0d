import { NODE_LABEL } from "../../lib/nodes/labels.ts";
import { describeMemoryKills, type MemoryKill } from "../../lib/observed/memory-kill.ts";
import { docker } from "./docker-cli.ts";

/** How long a kill is of interest, once the node runs again. */
const INTEREST_S = 3_600;

const FIELDS = [
  `{{index .Config.Labels "${NODE_LABEL}"}}`,
  "{{.HostConfig.Memory}}",
  "{{.State.OOMKilled}}",
  "{{.State.Running}}",
  "{{.State.StartedAt}}",
  "{{.Name}}",
];

/**
 * Asks the engine which of a stack's nodes were killed for memory: those that are down by it, and those that were started
 * again within the last hour. Some versions of Docker forget the former with the start that follows, and all of them
 * the events of which there were 256 since.
 *
 * @param owner label and value that mark what is the stack's, `label=value`.
 * @returns a sentence; undefined where nobody was killed, or the engine doesn't answer.
 */
export async function askMemoryKills(owner: string): Promise<string | undefined> {
  const filters = [`--filter=label=${owner}`, `--filter=label=${NODE_LABEL}`];
  const now = Math.floor(Date.now() / 1_000);
  const span = [`--since=${now - INTEREST_S}`, `--until=${now}`];
  const [listed, events] = await Promise.all([
    docker("ps", "--all", "--quiet", ...filters),
    docker(
      ...["events", ...span, "--filter=event=oom", ...filters],
      "--format={{.Actor.Attributes.name}}",
    ),
  ]);
  const ids = linesOf(listed.stdout);
  if (ids.length === 0) return undefined;
  const { stdout } = await docker("inspect", `--format=${FIELDS.join("\t")}`, ...ids);
  return describeMemoryKills(killsAmong(linesOf(stdout), linesOf(events.stdout), now * 1_000));
}

/**
 * @param rows of {@link FIELDS}, separated by tabs.
 * @param killed names of containers that events tell of.
 */
export function killsAmong(
  rows: readonly string[],
  killed: readonly string[],
  now: number,
): MemoryKill[] {
  return rows.flatMap((row) => {
    const [node = "", memory = "", isKilled, isRunning, startedAt = "", name = ""] =
      row.split("\t");
    const isOver = isRunning === "true" && now - Date.parse(startedAt) > INTEREST_S * 1_000;
    const isNoted = isKilled === "true" && !isOver;
    return isNoted || killed.includes(name.replace(/^\//, ""))
      ? [{ node, memory: Number(memory) }]
      : [];
  });
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
