import { z } from "zod";

const exported = z.object({
  deployment: z
    .looseObject({
      resources: z
        .array(z.looseObject({ urn: z.string(), delete: z.boolean().optional() }))
        .default([]),
    })
    .nullish(),
});

/**
 * Whether a resource is being deleted because an update replaces it, e.g. `up --replace`.
 *
 * @param state output of `pulumi stack export` during the update.
 * @param name the resource's name, unique among its type.
 */
export function isReplaced(state: unknown, name: string): boolean {
  return resourcesIn(state).some((each) => each.delete === true && each.urn.endsWith(`::${name}`));
}

/** Whether a state has a resource that isn't marked for deletion. */
export function hasResource(state: unknown, urn: string): boolean {
  return resourcesIn(state).some((each) => each.delete !== true && each.urn === urn);
}

function resourcesIn(state: unknown) {
  return exported.parse(state).deployment?.resources ?? [];
}
