import * as pulumi from "@pulumi/pulumi";
import { OWNER_LABEL, STACK_LABEL } from "../lib/nodes/labels.ts";
import type { Identity } from "../lib/plan/stack-identity.ts";
import { type Engine, nothing, textField } from "../live/engine/engine.ts";

/** Marks what a stack makes on a Docker engine, so that nothing else is ever touched. */
export interface Ownership {
  /** Tells stacks of the same name apart, see identity.ts. */
  readonly label: { readonly label: string; readonly value: string };
  /** For `docker` filters and for people: which stack it is, by the name that it was made under. */
  readonly labels: readonly { readonly label: string; readonly value: string }[];
}

export function ownershipOf({ project, stack, owner }: Identity): Ownership {
  const label = { label: OWNER_LABEL, value: owner };
  return { label, labels: [label, { label: STACK_LABEL, value: `${project}/${stack}` }] };
}

/** `label=value`, as `docker` filters take it and scripts are told of it. */
export function ownerFilter({ label: { label, value } }: Ownership): string {
  return `${label}=${value}`;
}

/**
 * A hook that makes room for a container: one of that name which this stack made in an `up` that was
 * killed before it could note it down is removed, as it would bar its own creation for ever.
 *
 * Somebody else's container of that name stays, and the creation fails with the engine's own words.
 */
export function makeRoomFor(
  engine: Engine,
  container: string,
  { label: { label, value } }: Ownership,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`make-room-for-${container}`, async () => {
    const owned = { owner: textField(`index .Config.Labels "${label}"`) };
    const [found] = await engine.list(owned, "container", "inspect", container).catch(nothing);
    if (found?.owner !== value) return;
    // One that runs may lead streams: when it is stopped, it hands them on. What doesn't work here, the creation tells of.
    await engine.run("container", "stop", container).catch(nothing);
    await engine.run("container", "rm", "--force", container).catch(nothing);
  });
}
