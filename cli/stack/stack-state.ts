import { z } from "zod";
import { OWNER_LABEL } from "../../lib/nodes/labels.ts";
import { askPulumi } from "./pulumi-cli.ts";

const resource = z.looseObject({
  id: z.string().optional(),
  inputs: z.unknown().optional(),
  retainOnDelete: z.boolean().optional(),
});

/** What `pulumi stack export` gives. A stack that never had an `up` has no deployment. */
export const stackState = z.object({
  deployment: z
    .looseObject({
      resources: z.array(resource).default([]),
      pending_operations: z.array(z.looseObject({ resource })).nullish(),
    })
    .nullish(),
});

export type StackState = z.output<typeof stackState>;

/** As whose a stack's containers, volumes and network are marked on the engine, each `label=value`. */
export async function readOwners(stack: string): Promise<string[]> {
  return [...ownersIn(await readState(stack))].map((owner) => `${OWNER_LABEL}=${owner}`);
}

/** Reads what Pulumi knows of a stack's resources. */
export async function readState(stack: string): Promise<StackState> {
  return stackState.parse(JSON.parse(await askPulumi(["stack", "export", "--stack", stack])));
}

/**
 * As whose the state knows what it made, or began to make: an operation is noted down with its inputs
 * before it begins. A stack of the same name in another state has another owner.
 */
export function ownersIn({ deployment }: StackState): Set<string> {
  const labels = (JSON.stringify(deployment) ?? "").matchAll(
    /nats-regions\.owner(?:=|","value":")([0-9a-f]+)/g,
  );
  return new Set(Array.from(labels, ([, owner = ""]) => owner));
}
