import { OWNER_LABEL, STACK_LABEL } from "../lib/nodes/labels.ts";
import { identityName } from "../lib/plan/settings.ts";
import type { Identity } from "../lib/plan/stack-identity.ts";

/** Marks what a cluster makes on a Docker engine, so that nothing else is ever touched. */
export interface Ownership {
  /** Tells clusters of the same name apart, see lib/plan/stack-identity.ts. */
  readonly label: { readonly label: string; readonly value: string };
  /** For `docker` filters and for people: which stack's it is, and which of its clusters, by the names that it was made under. */
  readonly labels: readonly { readonly label: string; readonly value: string }[];
}

export function ownershipOf({ owner, ...identity }: Identity): Ownership {
  const label = { label: OWNER_LABEL, value: owner };
  return { label, labels: [label, { label: STACK_LABEL, value: identityName(identity, "/") }] };
}

/** `label=value`, as `docker` filters take it and scripts are told of it. */
export function ownerFilter({ label: { label, value } }: Ownership): string {
  return `${label}=${value}`;
}

/** As `docker … create` takes labels. */
export function labelFlags(labels: Ownership["labels"]): string[] {
  return labels.map(({ label, value }) => `--label=${label}=${value}`);
}
