import { setTimeout as sleep } from "node:timers/promises";
import { groupsOf, lacksOf } from "../../lib/observed/majorities.ts";
import { NOTHING_OBSERVED, type ObservedCluster } from "../../lib/observed/observed.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { describeOrder, orderRestarts } from "../../lib/update/rollout-order.ts";
import { type FormerLacks, formerLacks } from "../../lib/update/turn.ts";
import type { EngineState } from "./inspect-engine.ts";
import type { Observer } from "./observer.ts";

/** The nodes to restart, and in which order. */
export interface Restarts {
  /** All nodes in the order in which they are changed. Nodes of one step may be down together. */
  readonly steps: ClusterPlan["waves"];
  /** Names of the nodes that are restarted. */
  readonly restarted: ReadonlySet<string>;
  /** What the cluster lacked before the update. */
  readonly former: FormerLacks;
}

export interface PlannedRestarts extends Restarts {
  readonly observed: ObservedCluster;
  /** Lines for the user; warnings are those that ask for an action. */
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
}

const LOOKS = 3;
const LOOK_MS = 1_000;

/** Observes the cluster if nodes are to be restarted, and orders the restarts. */
export async function planRestarts(
  plan: ClusterPlan,
  restarted: ReadonlySet<string>,
  { containers, silent }: EngineState,
  observe: Observer,
): Promise<PlannedRestarts> {
  const seen = restarted.size === 0 ? NOTHING_OBSERVED : await look(observe, silent);
  // Without a leader, the members are unknown, and a node that doesn't run may be the one that the group lacks for its
  // first leader: an `up` was killed while it made the nodes.
  const isMember = (name: string) =>
    seen.meta === undefined ? seen.servers.length > 0 : seen.meta.hosts.includes(name);
  const down = nodesOf(plan).filter(
    ({ name, containerName }) =>
      !silent.has(name) &&
      isMember(name) &&
      containers.get(containerName)?.clientAddress === undefined,
  );
  // A member without a container is recreated. That takes nothing away, because it is down already.
  const returning = down.filter(({ containerName }) => !containers.has(containerName));
  const observed = { ...seen, silent: [...seen.silent, ...down.map(({ name }) => name)] };
  const changing = new Set([...restarted, ...returning.map(({ name }) => name)]);
  // What is beyond reach lacked before, and will until its engine is back.
  const former = formerLacks(observed, new Set([...changing, ...silent]));
  const common = { restarted, former, observed };
  if (restarted.size === 0 || plan.rollout === "all") {
    return { ...common, steps: plan.waves, notices: [], warnings: [] };
  }
  const order = orderRestarts<NodePlan>(plan.waves, changing, observed);
  return {
    ...common,
    steps: order.steps,
    ...describeOrder(order, plan.streams, settingsPlaceOf(plan.identity)),
  };
}

/**
 * Looks again while something is behind: a short lag, as under heavy load, must not change the order. What nodes beyond
 * reach lack stays so.
 */
async function look(observe: Observer, silent: ReadonlySet<string>): Promise<ObservedCluster> {
  const isBehind = (cluster: ObservedCluster) =>
    lacksOf(groupsOf(cluster)).some(({ host }) => host === undefined || !silent.has(host));
  let observed = await observe();
  for (let looks = 1; looks < LOOKS && isBehind(observed); looks += 1) {
    await sleep(LOOK_MS);
    observed = await observe(true);
  }
  return observed;
}
