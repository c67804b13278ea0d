/**
 * Removes leaving nodes from the cluster after the streams of the settings have left them: moves all other streams,
 * then stops the nodes one by one, and removes each from the meta group. Run by a Command, after which Pulumi removes
 * the containers and volumes.
 *
 * stdin: JSON of a connection as a user of the system account.
 */

import { json } from "node:stream/consumers";
import type { SettingsPlace } from "../lib/base/settings-place.ts";
import { peerId } from "../lib/observed/meta-group.ts";
import { whyNotReady } from "../lib/observed/readiness.ts";
import type { Fleet } from "../lib/placement/placement.ts";
import { terseNamer } from "../lib/streams/stream-name.ts";
import { describeStranded, type HeldStream } from "../lib/update/departures.ts";
import { judgeReplicas } from "../lib/update/wave-gate.ts";
import { findNodes, listReachable, type OwnNode } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { connectionSchema } from "../live/jetstream/connection.ts";
import {
  closeConnections,
  type MetaGroupPort,
  openMetaGroup,
} from "../live/jetstream/jetstream.ts";
import { retry } from "../live/jetstream/patience.ts";
import { LONG_REQUEST_MS } from "../live/monitoring/ask-node.ts";
import { askHeldPatiently } from "../live/monitoring/held-streams.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";
import { askNodes } from "../live/monitoring/monitoring.ts";
import { behindIn, observeCluster } from "../live/monitoring/observe-cluster.ts";
import { forgetMember } from "./forget-member.ts";
import { findLeaving } from "./leaving-nodes.ts";
import { scriptVariables, trustOf } from "./variables.ts";
import { waitFor } from "./wait-for.ts";

const PACE = { patience: 60_000, silence: 15_000, pause: 250 };

const variables = scriptVariables.pick({
  OWNER: true,
  NODES: true,
  FLEET: true,
  IMAGE: true,
  PATIENCE: true,
  CA: true,
  SETTINGS_IN: true,
});

/** The stack that nodes leave. */
interface Stack {
  readonly metaGroup: MetaGroupPort;
  /** The remaining nodes. */
  readonly staying: readonly Monitor[];
  readonly fleet: Fleet;
  readonly image: string;
  /** Milliseconds. */
  readonly patience: number;
  /** Where the settings are. */
  readonly place: SettingsPlace;
}

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const {
    OWNER,
    NODES,
    FLEET: fleet,
    IMAGE: image,
    PATIENCE: patience,
    ...rest
  } = variables.parse(env);
  const { CA, SETTINGS_IN: place } = rest;
  const engines = enginesFromEnvironment(env);
  const own = await listReachable(engines, OWNER, trustOf(CA));
  const leaving = await findLeaving(own, new Set(NODES), place);
  if (leaving.length === 0) return;
  const metaGroup = openMetaGroup(connectionSchema.parse(await json(process.stdin)));
  const staying = findNodes(NODES, own);
  const stack = { metaGroup, staying, fleet, image, patience, place };
  try {
    await evacuate(leaving, stack);
    for (const [index, node] of leaving.entries()) {
      await retire(node, leaving.slice(index + 1), stack);
    }
  } finally {
    await closeConnections();
  }
}

async function evacuate(leaving: readonly OwnNode[], stack: Stack): Promise<void> {
  const held = await heldBy(leaving, stack);
  if (held.length === 0) return;
  const stranded = describeStranded(held, stack.fleet, stack.image);
  if (stranded.length > 0) {
    throw new Error(`nodes can't leave, and none was stopped: ${stranded.join("; ")}`);
  }
  for (const { name } of leaving) await retry(() => stack.metaGroup.evacuate(peerId(name)), PACE);
  await awaitEmpty(leaving, stack);
}

async function heldBy(nodes: readonly OwnNode[], { place }: Stack): Promise<HeldStream[]> {
  return (await Promise.all(nodes.map((node) => askHeldPatiently(node, { place })))).flat();
}

async function awaitEmpty(leaving: readonly OwnNode[], stack: Stack): Promise<void> {
  const { staying, patience } = stack;
  await waitFor(
    async () => {
      const held = await heldBy(leaving, stack);
      if (held.length === 0) return undefined;
      const names = held.map(({ account, name }) => `${name} (account ${account})`).join(", ");
      const nodes = [...staying, ...leaving];
      return { reason: names, behind: behindIn(await observeCluster(nodes, LONG_REQUEST_MS)) };
    },
    {
      patience,
      pause: PACE.pause,
      say: (line) => console.error(`waiting for streams to leave: ${line}`),
      describeStall: (sight) => `nodes can't leave: streams don't move off: ${sight}`,
    },
  );
}

/** Stops a node before its removal: a node that is removed while it runs is taken in again after five minutes. */
async function retire(node: OwnNode, next: readonly OwnNode[], stack: Stack): Promise<void> {
  const { name, container, engine } = node;
  await awaitReady([node, ...next], stack);
  const held = await askHeldPatiently(node, stack);
  if (held.length > 0) {
    const names = held.map(terseNamer(held)).join(", ");
    throw new Error(`${name} can't leave: it was given ${names}`);
  }
  await engine.run("stop", container);
  await retry(() => forgetMember(name, stack.metaGroup), PACE);
  await awaitReady(next, stack);
  console.error(`${name} has left the cluster`);
}

/** Waits until the remaining nodes, and those that still have to leave, are one complete cluster. */
async function awaitReady(
  yetToGo: readonly Monitor[],
  { staying, patience }: Stack,
): Promise<void> {
  const nodes = [...staying, ...yetToGo];
  await waitFor(
    async () => {
      const members = whyNotReady(await askNodes(nodes));
      const observed = await observeCluster(nodes, LONG_REQUEST_MS);
      const reason = members ?? judgeReplicas(observed, true);
      return reason === undefined ? undefined : { reason, behind: behindIn(observed) };
    },
    {
      patience,
      pause: PACE.pause,
      say: (line) => console.error(`waiting for the cluster: ${line}`),
      describeStall: (sight) =>
        `no further node was stopped: ${sight}; run "pulumi up" again once the cluster is well`,
    },
  );
}
