import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, type NodePlan, nodesOf } from "../lib/plan/plan.ts";
import type { NatsNode } from "./nats-node.ts";
import { scriptTrust } from "./node-certificates.ts";
import { type Ownership, ownerFilter } from "./ownership.ts";
import type { Restarts } from "./restarts.ts";
import { runCommand } from "./run-command.ts";
import { scriptPatience } from "./script-patience.ts";

/** URL of the monitoring pages of nodes, by name. */
export function monitoringUrls(nodes: readonly NodePlan[]): Record<string, string> {
  return Object.fromEntries(nodes.map(({ name, monitoringUrl }) => [name, monitoringUrl]));
}

interface GateArgs {
  readonly plan: ClusterPlan;
  /** Of the wave right before the gate: where containers of its nodes were replaced, it waits again. */
  readonly index: number;
  /** Those of that wave at least, by name. */
  readonly nodes: ReadonlyMap<string, NatsNode>;
  readonly restarts: Restarts;
  readonly caCertificate: pulumi.Output<string> | undefined;
  readonly ownership: Ownership;
  /** Whether all nodes were there before anything was changed. */
  readonly isWhole: boolean;
  /** Whether nodes come back to data volumes that were kept: with streams, which take their time to elect leaders. */
  readonly hasKept: boolean;
}

interface StartGateArgs {
  readonly plan: ClusterPlan;
  readonly ownership: Ownership;
  readonly labels: (node: NodePlan) => string;
  /** Whether no node has a container yet. */
  readonly isNew: boolean;
}

/**
 * Makes the gate before the first wave: whatever restarts a node updates it, and it refuses where the
 * cluster isn't well, also where it is itself replaced by then. It knows nothing of containers that somebody removed,
 * whose return it must not bar.
 */
export function createStartGate(
  name: string,
  { plan, labels, isNew, ownership }: StartGateArgs,
  caCertificate: pulumi.Output<string> | undefined,
  drain: pulumi.Resource,
  parent: pulumi.Resource,
): pulumi.Resource {
  const settings = plan.waves.map((wave) =>
    Object.fromEntries(wave.map((node) => [node.name, labels(node)])),
  );
  const check = plan.rollout === "all" ? ":" : runCommand("start-gate");
  return new local.Command(
    name,
    {
      create: isNew ? ":" : check,
      update: check,
      environment: {
        OWNER: ownerFilter(ownership),
        SETTINGS: JSON.stringify(settings),
        ...scriptTrust(caCertificate),
      },
      logging: local.Logging.Stderr,
    },
    { parent, dependsOn: [drain], ignoreChanges: ["create"] },
  );
}

/**
 * Makes the gate behind a wave. The first boot needs all nodes at once, as a new meta group elects its
 * leader only when every member is there: so only the last gate waits when it is created, unless there was
 * a cluster whose nodes are now to be changed in more waves. A container that was replaced updates the gate
 * behind its wave, and that one waits until all is well again.
 */
export function createGate(
  name: string,
  { plan, index, nodes, restarts, caCertificate, ownership, isWhole, hasKept }: GateArgs,
  parent: pulumi.Resource,
) {
  const { waves } = plan;
  const isLast = index === waves.length - 1;
  const wave = (waves[index] ?? []).flatMap(({ name }) => nodes.get(name) ?? []);
  const containers = pulumi.all(wave.map(({ containerId }) => containerId));
  const isRestarted = (waves[index] ?? []).some(({ name }) => restarts.restarted.has(name));
  const lacked = isRestarted ? [...restarts.former.keys].sort() : [];
  return new local.Command(
    name,
    {
      create: isWhole
        ? runCommand("gate", "replicas")
        : isLast
          ? runCommand("gate", hasKept ? "replicas" : "members")
          : ":",
      update: runCommand("gate", "replicas"),
      environment: {
        MONITORS: JSON.stringify(monitoringUrls(waves.slice(0, index + 1).flat())),
        LATER: JSON.stringify(monitoringUrls(waves.slice(index + 1).flat())),
        OWNER: ownerFilter(ownership),
        CONTAINERS: containers.apply((ids) => ids.join(" ")),
        ...scriptPatience(plan),
        ...(lacked.length > 0 ? { LACKED: JSON.stringify(lacked) } : {}),
        ...scriptTrust(caCertificate),
      },
      logging: local.Logging.Stderr,
    },
    {
      parent,
      // What the cluster lacked before counts while nodes are restarted, and is no change otherwise.
      ignoreChanges: ["create", ...(isRestarted ? [] : ["environment.LACKED"])],
    },
  );
}

interface TagPauseArgs {
  readonly plan: ClusterPlan;
  /** Whether reloads give nodes more room for streams. */
  readonly hasGrowth: boolean;
}

/**
 * Makes the step behind the last gate: where tags or stores were changed by reloads, streams wait until the meta leader,
 * which places them, has heard of it. A server tells of its tags at once, but once a second at most (nats-server 2.15,
 * `statszRateLimit`).
 */
export function createTagPause(
  name: string,
  { plan, hasGrowth }: TagPauseArgs,
  gates: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const tags = nodesOf(plan).map((node) => [node.name, node.serverTags] as const);
  const stores = nodesOf(plan).map(({ conf }) => [conf.maxFileStore, conf.maxMemoryStore]);
  return new local.Command(
    name,
    {
      create: ":",
      update: "sleep 1.2",
      environment: {
        TAGS: JSON.stringify(Object.fromEntries(tags)),
        ...(hasGrowth ? { STORES: JSON.stringify(stores) } : {}),
      },
      logging: local.Logging.None,
    },
    {
      parent,
      dependsOn: [...gates],
      // Sizes count while nodes grow by reloads, and are no change otherwise.
      ignoreChanges: hasGrowth ? [] : ["environment.STORES"],
    },
  );
}

const STOP_ALL =
  'nodes=$(docker ps --quiet --filter "label=$OWNER"); [ -z "$nodes" ] || docker stop $nodes';

/**
 * Goes first when the cluster is destroyed, and stops all nodes at once: one after the other, in the
 * order in which the gates let them in, each would hand its leaders on to the next to go. Where an `up` is told to
 * replace it, which deletes the old one as well, they run on.
 */
export function createShutdown(
  name: string,
  ownership: Ownership,
  ready: readonly pulumi.Resource[],
  parent: pulumi.Resource,
) {
  return new local.Command(
    name,
    {
      create: ":",
      delete: `case "$NATS_REGIONS_COMMAND" in up | update) exit 0 ;; esac; ${STOP_ALL}`,
      environment: { OWNER: ownerFilter(ownership) },
      logging: local.Logging.None,
    },
    { parent, dependsOn: [...ready] },
  );
}
