import * as pulumi from "@pulumi/pulumi";
import { describeWaitStatus, stallTimerFrom, type WaitStatus } from "../../lib/observed/waiting.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { whyNotItsTurn } from "../../lib/update/turn.ts";
import { CrashWatch } from "../../live/engine/crash-watch.ts";
import type { Engine } from "../../live/engine/engine.ts";
import { listOwnNodes, type OwnNode } from "../../live/engine/own-nodes.ts";
import { closeUnused } from "../../live/jetstream/clients.ts";
import { LONG_REQUEST_MS } from "../../live/monitoring/ask-node.ts";
import { behindIn, observeCluster } from "../../live/monitoring/observe-cluster.ts";
import { until } from "../../live/until.ts";
import { promiseOf } from "../known-value.ts";
import type { Logger } from "../logger.ts";
import { type Ownership, ownerFilter } from "../ownership.ts";
import type { Restarts } from "../preflight/plan-restarts.ts";

export interface TurnsArgs {
  readonly plan: ClusterPlan;
  readonly restarts: Restarts;
  /** The label that a node's container has after the update. */
  readonly labels: (node: NodePlan) => string;
  readonly ownership: Ownership;
  readonly engines: readonly Engine[];
  readonly log: Logger;
  /** PEM of the authorities that certify the nodes; undefined if they have no TLS. */
  readonly caCertificate: pulumi.Output<string> | undefined;
}

const POLL_MS = 500;

/** Why a node can't be restarted yet. */
interface TurnStatus extends WaitStatus {
  /** What can be done about it. */
  readonly remedy?: string;
}

/**
 * Lets nodes be restarted one step after the other. Each node has a hook that runs before its config is written, and
 * waits until the restart costs no group its majority. It is a hook and not a Command, because only the program knows
 * the state before the update and which other nodes are about to restart, and a Command's inputs must not depend on
 * either.
 */
export class Turns {
  readonly #args: TurnsArgs;
  readonly #planned: ReadonlyMap<string, string>;
  /** Names of the nodes that were released for their restart. */
  readonly #gone = new Set<string>();

  constructor(args: TurnsArgs) {
    this.#args = args;
    this.#planned = new Map(nodesOf(args.plan).map((node) => [node.name, args.labels(node)]));
  }

  /** The hook for a node; undefined if the node isn't restarted, or if all nodes restart at once. */
  hookFor({ name, containerName }: NodePlan): pulumi.ResourceHook | undefined {
    const { plan, restarts } = this.#args;
    if (plan.rollout === "all" || !restarts.restarted.has(name)) return undefined;
    const step = restarts.steps.find((nodes) => nodes.some((node) => node.name === name)) ?? [];
    const stepPeers = new Set(step.map((node) => node.name));
    return new pulumi.ResourceHook(`await-turn-${containerName}`, () =>
      this.#await(name, stepPeers),
    );
  }

  async #await(node: string, stepPeers: ReadonlySet<string>): Promise<void> {
    const { plan, log } = this.#args;
    const { patience } = plan;
    const crashes = new CrashWatch();
    const turn = until<void, TurnStatus>(
      async () => {
        const own = await this.#list();
        const obstacle = await this.#whyNot(node, stepPeers, own);
        if (!obstacle) {
          // In the same tick, so that no other node is released in between.
          this.#gone.add(node);
          return { done: undefined };
        }
        const gone = own.filter(({ name }) => this.#gone.has(name));
        const crash = await crashes.look(gone, performance.now());
        if (crash !== undefined) throw new Error(describeRefusal(node, crash, obstacle));
        return { shown: obstacle };
      },
      {
        pause: POLL_MS,
        limit: patience,
        lasts: stallTimerFrom(performance.now()),
        describe: (obstacle) => `${node} waits for its turn: ${describeWaitStatus(obstacle)}`,
        say: log.info,
        giveUp: (obstacle) => {
          const reason = `${obstacle.reason}; nothing has moved for ${patience / 1_000} s`;
          throw new Error(describeRefusal(node, reason, obstacle));
        },
      },
    );
    await turn.finally(closeUnused);
  }

  async #list(): Promise<readonly OwnNode[]> {
    const { engines, ownership, caCertificate } = this.#args;
    const trust = caCertificate && (await promiseOf(caCertificate));
    const given = trust === undefined ? {} : { ca: trust };
    return await listOwnNodes(engines, ownerFilter(ownership), given);
  }

  async #whyNot(
    node: string,
    stepPeers: ReadonlySet<string>,
    own: readonly OwnNode[],
  ): Promise<TurnStatus | undefined> {
    const { plan, restarts } = this.#args;
    const observed = await observeCluster(own, LONG_REQUEST_MS);
    const isChanged = (each: OwnNode) => this.#planned.get(each.name) === each.restartSettings;
    const changed = new Set(own.filter(isChanged).map(({ name }) => name));
    const { former } = restarts;
    const place = settingsPlaceOf(plan.identity);
    const turn = {
      node,
      stepPeers,
      gone: this.#gone,
      changed,
      former,
      planned: plan.streams,
      place,
    };
    const obstacle = whyNotItsTurn(observed, turn);
    return obstacle && { ...obstacle, behind: behindIn(observed) };
  }
}

function describeRefusal(node: string, reason: string, obstacle: TurnStatus): string {
  const remedy = obstacle.remedy === undefined ? "" : `. To get it well: ${obstacle.remedy}`;
  return `${node} was not restarted: ${reason}${remedy}. It is as it was, and so are those after it; the next up goes on from here, with these settings or with those of before.`;
}
