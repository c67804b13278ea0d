import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import type { RunningTls } from "../../lib/tls/own-certificates.ts";
import type { Engine } from "../../live/engine/engine.ts";
import { isMocked } from "../mocked.ts";
import type { Ownership } from "../ownership.ts";
import { tellerOf } from "../teller.ts";
import {
  type EngineNode,
  engineNode,
  list,
  listContainers,
  partition,
  readTls,
} from "./engine-finds.ts";
import {
  refuseForeign,
  refuseMixedTls,
  refuseMixedVersions,
  refuseOtherCluster,
  refuseTakenPorts,
} from "./engine-refusals.ts";
import {
  findBereft,
  findReturning,
  warnOfKept,
  warnOfLostData,
  warnOfNotKept,
  warnOfStopped,
} from "./engine-warnings.ts";

/** What of the stack was on the engine before anything was changed. */
export interface EngineState {
  /** The containers of its nodes, by name. */
  readonly containers: ReadonlyMap<string, EngineNode>;
  /** Nodes that its settings have no more, by their names. */
  readonly leaving: ReadonlyMap<string, EngineNode>;
  /** Names of its nodes that have a data volume, but no container: they aren't new. */
  readonly bereft: ReadonlySet<string>;
  readonly hasNetwork: boolean;
  /** There where nodes come back to data volumes that were kept, and may bring streams along. */
  readonly hasKept?: true;
  /** What its nodes trust and show; undefined where none has TLS. */
  readonly tls?: RunningTls;
}

const NOTHING: EngineState = {
  containers: new Map(),
  leaving: new Map(),
  bereft: new Set(),
  hasNetwork: false,
};

/**
 * Looks at the Docker engine before anything is planned on it, so that what can't work is refused while
 * nothing has changed: no engine, somebody else's objects by the planned names, another cluster's nodes,
 * ports that are taken. Warns of nodes that don't run, as a stack's state doesn't know before a refresh.
 *
 * @throws pulumi.RunError naming the way out.
 */
export async function inspectEngine(
  engine: Engine,
  plan: ClusterPlan,
  ownership: Ownership,
  tell = tellerOf(),
): Promise<EngineState> {
  if (isMocked()) return NOTHING;
  const owner = ownership.label.value;
  const [containers, volumes, networks] = await Promise.all([
    listContainers(engine, plan, ownership),
    list(engine, "volume", plan, ownership),
    list(engine, "network", plan, ownership),
  ]);
  refuseForeign([...containers, ...volumes, ...networks], plan, owner);
  const own = containers.filter((found) => found.owner === owner && found.node !== "");
  refuseOtherCluster(own, plan);
  refuseMixedVersions(own, plan);
  refuseMixedTls(own, plan);
  const bereft = findBereft(own, volumes, plan);
  const ownVolumes = volumes.filter((found) => found.owner === owner);
  const returning = findReturning(own, ownVolumes, plan);
  await warnOfStopped(
    engine,
    own,
    new Set([...bereft].filter((name) => !returning.has(name))),
    plan,
    ownership,
    tell,
  );
  warnOfKept(own, ownVolumes, returning, plan, tell);
  warnOfLostData(own, volumes, plan, tell);
  if (own.length === 0 && networks.length === 0) warnOfNotKept(ownVolumes, plan, tell);
  await refuseTakenPorts(engine, own, plan);
  const planned = new Set(nodesOf(plan).map(({ containerName }) => containerName));
  const [staying, leaving] = partition(own, ({ name }) => planned.has(name));
  return {
    containers: new Map(staying.map((found) => [found.name, engineNode(found)])),
    leaving: new Map(leaving.map((found) => [found.node, engineNode(found)] as const).sort(byName)),
    bereft,
    hasNetwork: networks.some(({ name }) => name === plan.prefix),
    ...(returning.size > 0 ? { hasKept: true as const } : {}),
    ...(await readTls(engine, own, plan)),
  };
}

const byName = ([a]: readonly [string, EngineNode], [b]: readonly [string, EngineNode]) =>
  a < b ? -1 : 1;
