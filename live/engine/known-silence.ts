/**
 * Which engines a command has found silent: its processes are told by NATS_REGIONS_SILENT, so that the engines are asked
 * once, and all of its steps leave out the same.
 */
import { z } from "zod";
import type { Engine } from "./engine.ts";

/** By host. */
const reasons = z.record(z.string(), z.string());

function known(): Readonly<Record<string, string>> {
  return reasons.parse(JSON.parse(process.env.NATS_REGIONS_SILENT ?? "{}"));
}

/** Why an engine doesn't answer, if that is known. */
export function knownSilence({ place }: Engine): string | undefined {
  return place && known()[place.host];
}

/**
 * Has this process, and those that it starts from now on, take engines for silent without asking them.
 *
 * @param silent why, by their keys.
 */
export function noteSilence(engines: readonly Engine[], silent: ReadonlyMap<string, string>): void {
  if (silent.size === 0) return;
  const found = engines.flatMap(({ key, place }) => {
    const reason = silent.get(key);
    return place && reason !== undefined ? [[place.host, reason] as const] : [];
  });
  process.env.NATS_REGIONS_SILENT = JSON.stringify({ ...known(), ...Object.fromEntries(found) });
}
