import { z } from "zod";
import type { EnginePlace } from "./engine.ts";
import { enginePlaces } from "./told-engines.ts";

const state = z.object({
  deployment: z
    .looseObject({
      resources: z
        .array(
          z.looseObject({
            urn: z.string(),
            type: z.string(),
            provider: z.string().optional(),
            inputs: z.unknown().optional(),
          }),
        )
        .default([]),
    })
    .nullish(),
});

type Resource = NonNullable<z.output<typeof state>["deployment"]>["resources"][number];

const PROVIDER = "pulumi:providers:docker";
const provider = z.object({ host: z.string().optional(), context: z.string().optional() });
const script = z.object({
  environment: z.object({
    ENGINES: enginePlaces.optional(),
    FORMER_ENGINES: enginePlaces.optional(),
  }),
});

/**
 * The engines of the settings that a stack has containers or volumes on, also those that the settings no longer have:
 * those of its providers. Where their machines are is what its scripts are told.
 *
 * @param exported output of `pulumi stack export`.
 */
export function enginePlacesIn(exported: unknown): EnginePlace[] {
  const { resources = [] } = state.parse(exported).deployment ?? {};
  const told = new Map(resources.flatMap(placesIn).map((place) => [place.host, place] as const));
  const used = new Set(resources.flatMap((each) => providerOf(each) ?? []));
  return resources
    .filter(({ type, urn }) => type === PROVIDER && used.has(urn))
    .flatMap(({ inputs }) => {
      const { host, context } = provider.parse(inputs ?? {});
      return told.get(host ?? context ?? "") ?? [];
    });
}

/** Whether a stack has containers or volumes on the engine that the environment chooses. */
export function hasUnplacedIn(exported: unknown): boolean {
  const { resources = [] } = state.parse(exported).deployment ?? {};
  const placed = new Set(
    resources.flatMap(({ type, urn, inputs }) => {
      if (type !== PROVIDER) return [];
      const { host, context } = provider.parse(inputs ?? {});
      return (host ?? context) === undefined ? [] : [urn];
    }),
  );
  return resources.some((each) => {
    const used = providerOf(each);
    return used !== undefined && !placed.has(used);
  });
}

function placesIn({ inputs }: Resource): EnginePlace[] {
  const { data } = script.safeParse(inputs);
  return [...(data?.environment.FORMER_ENGINES ?? []), ...(data?.environment.ENGINES ?? [])];
}

/** The URN of the provider of a container or volume; its id follows it. */
function providerOf({ type, provider: reference }: Resource): string | undefined {
  const isKept = /^docker:index\/(container|volume):/.test(type);
  return isKept ? reference?.replace(/::[^:]*$/, "") : undefined;
}
