import { z } from "zod";
import type { SettingsPlace } from "../../lib/base/settings-place.ts";
import { NODE_LABEL } from "../../lib/nodes/labels.ts";
import { describeMemoryKills, type MemoryKill } from "../../lib/observed/memory-kill.ts";
import { type Engine, type Fields, nothing, textField } from "./engine.ts";

/** Seconds for which a kill is reported after the node runs again. */
const INTEREST_S = 3_600;

/** A node's container, with the facts about kills. */
export interface Suspect extends MemoryKill {
  /** With a leading `/`. */
  readonly container: string;
  readonly isKilled: boolean;
  readonly isRunning: boolean;
  /** RFC 3339. */
  readonly startedAt: string;
}

const FIELDS: Fields<Suspect> = {
  node: textField(`index .Config.Labels "${NODE_LABEL}"`),
  memory: [".HostConfig.Memory", z.number()],
  isKilled: [".State.OOMKilled", z.boolean()],
  isRunning: [".State.Running", z.boolean()],
  startedAt: textField(".State.StartedAt"),
  container: textField(".Name"),
};

/**
 * Asks engines which of a stack's nodes were killed for memory: those that are down because of it, and those that
 * were started again within the last hour. Some versions of Docker reset `OOMKilled` with the next start, and all of
 * them keep only the last 256 events.
 *
 * @param owner label of the stack's own objects, `label=value`.
 * @returns a sentence; undefined if no node was killed, or no engine answers.
 */
export async function askMemoryKills(
  engines: readonly Engine[],
  owner: string,
  place: SettingsPlace = "config",
): Promise<string | undefined> {
  const kills = await Promise.all(engines.map((engine) => findKills(engine, owner)));
  return describeMemoryKills(kills.flat(), place);
}

async function findKills(engine: Engine, owner: string): Promise<MemoryKill[]> {
  const filters = [`--filter=label=${owner}`, `--filter=label=${NODE_LABEL}`];
  const now = Math.floor(Date.now() / 1_000);
  const span = [`--since=${now - INTEREST_S}`, `--until=${now}`];
  const killed = { name: textField('index .Actor.Attributes "name"') };
  const [listed, events] = await Promise.all([
    engine.list({ id: textField(".ID") }, "ps", "--all", ...filters).catch(nothing),
    engine.list(killed, "events", ...span, "--filter=event=oom", ...filters).catch(nothing),
  ]);
  const ids = listed.map(({ id }) => id);
  if (ids.length === 0) return [];
  const suspects = await engine.list(FIELDS, "inspect", ...ids).catch(nothing);
  const names = events.map(({ name }) => name);
  return killsAmong(suspects, names, now * 1_000);
}

/** @param killed names of the containers with a kill among the events. */
export function killsAmong(
  suspects: readonly Suspect[],
  killed: readonly string[],
  now: number,
): MemoryKill[] {
  return suspects.flatMap(({ node, memory, isKilled, isRunning, startedAt, container }) => {
    const isOver = isRunning && now - Date.parse(startedAt) > INTEREST_S * 1_000;
    const isNoted = isKilled && !isOver;
    return isNoted || killed.includes(container.replace(/^\//, "")) ? [{ node, memory }] : [];
  });
}
