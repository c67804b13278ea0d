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
 * Whether a resource is deleted because another one has taken its place, as where an `up` is told to replace it.
 *
 * @param state what `pulumi stack export` gives meanwhile.
 * @param name of the resource, which no other of its type has.
 */
export function isReplaced(state: unknown, name: string): boolean {
  return resourcesIn(state).some((each) => each.delete === true && each.urn.endsWith(`::${name}`));
}

/** Whether a state has a resource that isn't about to be deleted. */
export function hasResource(state: unknown, urn: string): boolean {
  return resourcesIn(state).some((each) => each.delete !== true && each.urn === urn);
}

function resourcesIn(state: unknown) {
  return exported.parse(state).deployment?.resources ?? [];
}
