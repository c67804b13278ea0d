/** Chooses the nodes of a fault. */
import { nodesOf } from "../../lib/plan/plan.ts";
import type { FaultCase, Stage } from "./inject-fault.ts";
import { metaGroupsOf } from "./meta-group.ts";
import { NatsClient } from "./nats-client.ts";

type Victims = FaultCase["nodes"];

export function node(name: string): Victims {
  return () => [name];
}

export function zoneEverywhere(zone: string): Victims {
  return ({ plan }) => namesOf(plan, (each) => each.zone === zone);
}

export function regions(...names: readonly string[]): Victims {
  return ({ plan }) => namesOf(plan, ({ region }) => names.includes(region));
}

export const everyNode: Victims = ({ plan }) => namesOf(plan, () => true);

/** The node that leads a stream. */
export function leaderOf(stream: string): Victims {
  return async ({ stack }) => {
    await using client = await NatsClient.connect(await stack.outputs());
    return [(await client.info(stream)).cluster.leader ?? ""];
  };
}

export const metaLeader: Victims = async ({ stack }) => {
  return (await metaGroupsOf(stack)).slice(0, 1).map(({ leader }) => leader);
};

function namesOf(
  plan: Stage["plan"],
  isMeant: (node: ReturnType<typeof nodesOf>[number]) => boolean,
): string[] {
  return nodesOf(plan)
    .filter(isMeant)
    .map(({ name }) => name);
}
