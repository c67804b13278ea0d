import { OWNER_LABEL, STACK_LABEL } from "../lib/nodes/labels.ts";
import { identityName } from "../lib/plan/settings.ts";
import type { Identity } from "../lib/plan/stack-identity.ts";

/** Labels of all that a cluster creates on a Docker engine. Objects without them are never touched. */
export interface Ownership {
  /** Distinguishes clusters of the same name, see lib/plan/stack-identity.ts. */
  readonly label: { readonly label: string; readonly value: string };
  /** For `docker` filters and for people: the owner, and the stack and cluster names that it was created with. */
  readonly labels: readonly { readonly label: string; readonly value: string }[];
}

export function ownershipOf({ owner, ...identity }: Identity): Ownership {
  const label = { label: OWNER_LABEL, value: owner };
  return { label, labels: [label, { label: STACK_LABEL, value: identityName(identity, "/") }] };
}

/** `label=value`, as `docker` filters and the scripts take it. */
export function ownerFilter({ label: { label, value } }: Ownership): string {
  return `${label}=${value}`;
}

/** As flags of `docker … create`. */
export function labelFlags(labels: Ownership["labels"]): string[] {
  return labels.map(({ label, value }) => `--label=${label}=${value}`);
}
