import { isAddress } from "../../lib/base/addresses.ts";
import { listSome } from "../../lib/base/wording.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { unknownNames } from "../../live/unknown-names.ts";
import type { Logger } from "../logger.ts";
import { isMocked } from "../mocked.ts";

/** Milliseconds. A preview takes longer anyway. */
const LOOK_UP_MS = 1_500;

/**
 * Warns of host names in the setting `advertise` that aren't known here. Clients may know them all the same.
 */
export async function warnOfNames(plan: ClusterPlan, log: Logger): Promise<void> {
  if (isMocked()) return;
  const names = [...new Set(nodesOf(plan).flatMap(namesTold))];
  const unknown = await unknownNames(names, LOOK_UP_MS);
  if (unknown.length === 0) return;
  log.warn(`advertise: clients are told of names that nobody knows here: ${listSome(unknown)}`);
}

/** The host names that clients are told of by the setting, and not by an engine's address. */
function namesTold({ toldHost, engine }: NodePlan): readonly string[] {
  if (toldHost === undefined || toldHost === engine?.address) return [];
  return isAddress(toldHost) ? [] : [toldHost];
}
