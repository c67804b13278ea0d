import { z } from "zod";
import { OWNER_LABEL } from "../../lib/nodes/labels.ts";
import { askPulumi } from "./pulumi-cli.ts";

const resource = z.looseObject({
  id: z.string().optional(),
  inputs: z.unknown().optional(),
  retainOnDelete: z.boolean().optional(),
});

/** The output of `pulumi stack export`. A stack that never had an `up` has no deployment. */
export const stackState = z.object({
  deployment: z
    .looseObject({
      resources: z.array(resource).default([]),
      pending_operations: z.array(z.looseObject({ resource })).nullish(),
    })
    .nullish(),
});

export type StackState = z.output<typeof stackState>;

/** The label of an owner's containers, volumes and networks, `label=value`. */
export function toOwnerLabel(owner: string): string {
  return `${OWNER_LABEL}=${owner}`;
}

/** The owner labels of a stack. */
export async function readOwners(stack: string): Promise<string[]> {
  return [...ownersIn(await readState(stack))].map(toOwnerLabel);
}

/** Reads a stack's resources from its state. */
export async function readState(stack: string): Promise<StackState> {
  return stackState.parse(JSON.parse(await askPulumi(["stack", "export", "--stack", stack])));
}

/**
 * The owners of the resources in the state, including pending operations: Pulumi records an operation with its inputs
 * before it begins. A stack of the same name in another state has another owner.
 */
export function ownersIn({ deployment }: StackState): Set<string> {
  const labels = (JSON.stringify(deployment) ?? "").matchAll(
    /nats-regions\.owner(?:=|","value":")([0-9a-f]+)/g,
  );
  return new Set(Array.from(labels, ([, owner = ""]) => owner));
}
