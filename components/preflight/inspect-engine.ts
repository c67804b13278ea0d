import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import type { RunningTls } from "../../lib/tls/own-certificates.ts";
import type { Engine } from "../../live/engine/engine.ts";
import type { ClusterLogin } from "../../live/engine/own-login.ts";
import { withoutDoubles } from "../../live/engine/own-nodes.ts";
import { loggerOf } from "../logger.ts";
import { isMocked } from "../mocked.ts";
import type { Ownership } from "../ownership.ts";
import {
  type EngineNode,
  engineNode,
  listContainers,
  listNetworks,
  listVolumes,
  partition,
  readTls,
} from "./engine-finds.ts";
import { refuseWithoutIpv6 } from "./engine-ipv6.ts";
import {
  refuseElsewhere,
  refuseEmptied,
  refuseForeign,
  refuseMixedTls,
  refuseMixedVersions,
  refuseOtherCluster,
  refuseOtherKey,
  refuseTakenPorts,
} from "./engine-refusals.ts";
import {
  findContainerless,
  findReturning,
  warnOfKept,
  warnOfLostData,
  warnOfNotKept,
  warnOfStopped,
} from "./engine-warnings.ts";
import { findKept, refuseKeptElsewhere, refuseKeptOfOther, refuseUnfit } from "./kept-volumes.ts";

/** What existed of the stack on the engine before anything was changed. */
export interface EngineState {
  /** The nodes' containers, by container name. */
  readonly containers: ReadonlyMap<string, EngineNode>;
  /** Nodes that are no longer in the settings, by node name. */
  readonly leaving: ReadonlyMap<string, EngineNode>;
  /** Names of nodes with a data volume but no container. They aren't new. */
  readonly containerless: ReadonlySet<string>;
  /** Names of nodes whose engine doesn't answer. They stay as they are. */
  readonly silent: ReadonlySet<string>;
  /** Whether each engine has the network. */
  readonly hasNetwork: boolean;
  /** Set if nodes return to data volumes that were kept, which may hold streams. */
  readonly hasKept?: true;
  /** By which its nodes are asked; a secret. */
  readonly login?: ClusterLogin;
  /** The CA that its nodes trust and a certificate that they present; undefined if none has TLS. */
  readonly tls?: RunningTls;
}

const NOTHING: Omit<EngineState, "silent"> = {
  containers: new Map(),
  leaving: new Map(),
  containerless: new Set(),
  hasNetwork: false,
};

/**
 * Inspects the Docker engines before anything changes, and refuses what can't work: no engine, another owner's objects
 * with the planned names, nodes of another NATS cluster, kept volumes of which no cluster would begin, ports in use.
 * Warns about nodes that don't run, because a stack's state doesn't know that before a refresh.
 *
 * @param recorded names of the containers in the stack's state, if nodes have engines. Default: none.
 * @throws pulumi.RunError naming the way out.
 */
export async function inspectEngines(
  engines: readonly Engine[],
  plan: ClusterPlan,
  ownership: Ownership,
  log = loggerOf(),
  recorded: ReadonlySet<string> = new Set(),
): Promise<Omit<EngineState, "silent">> {
  if (isMocked()) return NOTHING;
  const owner = ownership.label.value;
  const [containers, volumes, networks] = await Promise.all([
    onAll(engines, (engine) => listContainers(engine, plan, ownership)),
    onAll(engines, (engine) => listVolumes(engine, plan, ownership)),
    onAll(engines, (engine) => listNetworks(engine, plan, ownership)),
  ]);
  refuseForeign([...containers, ...volumes, ...networks], plan, owner);
  const own = withoutDoubles(
    containers.filter((found) => found.owner === owner && found.node !== ""),
  );
  await refuseWithoutIpv6(engines, networks, plan);
  refuseElsewhere(own, plan);
  refuseOtherCluster(own, plan);
  refuseOtherKey(own, plan);
  refuseMixedVersions(own, plan);
  refuseMixedTls(own, plan);
  const containerless = findContainerless(own, volumes, plan);
  const ownVolumes = volumes.filter((found) => found.owner === owner);
  refuseEmptied(engines, [...own, ...ownVolumes], plan, recorded);
  refuseKeptOfOther(own, ownVolumes, plan);
  refuseKeptElsewhere(own, ownVolumes, plan);
  const returning = findReturning(own, ownVolumes, plan);
  const comesBack = own.length === 0 || returning.size > 0;
  const kept = comesBack ? await findKept(own, ownVolumes, plan, ownership) : undefined;
  refuseUnfit(kept);
  await warnOfStopped(
    engines,
    own,
    new Set([...containerless].filter((name) => !returning.has(name))),
    plan,
    ownership,
    log,
  );
  warnOfKept(own, ownVolumes, returning, kept, plan, log);
  warnOfLostData(own, volumes, plan, log);
  if (own.length === 0 && networks.length === 0) warnOfNotKept(ownVolumes, plan, log);
  await refuseTakenPorts(engines, own, plan);
  const planned = new Set(nodesOf(plan).map(({ containerName }) => containerName));
  const [staying, leaving] = partition(own, ({ name }) => planned.has(name));
  return {
    containers: new Map(staying.map((found) => [found.name, engineNode(found)])),
    leaving: new Map(leaving.map((found) => [found.node, engineNode(found)] as const).sort(byName)),
    containerless,
    hasNetwork: networks.filter(({ name }) => name === plan.prefix).length === engines.length,
    ...(returning.size > 0 ? { hasKept: true as const } : {}),
    ...(await readTls(own, plan)),
  };
}

async function onAll<Row>(
  engines: readonly Engine[],
  list: (engine: Engine) => Promise<readonly Row[]>,
): Promise<Row[]> {
  return (await Promise.all(engines.map(list))).flat();
}

const byName = ([a]: readonly [string, EngineNode], [b]: readonly [string, EngineNode]) =>
  a < b ? -1 : 1;
