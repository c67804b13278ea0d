import { z } from "zod";
import {
  type Engine,
  type EnginePlace,
  engineAt,
  engineFromEnvironment,
  enginePlaces,
} from "../../live/engine/engine.ts";
import type { StackState } from "./stack-state.ts";

const script = z.object({
  inputs: z.object({ environment: z.object({ ENGINES: enginePlaces }) }),
});

/**
 * The engines of a stack: those that its scripts are told, or the one that the environment chooses. An `up` that was
 * killed may have told some of them of other engines than the rest.
 */
export function enginesIn({ deployment }: StackState): readonly Engine[] {
  const places = new Map<string, EnginePlace>();
  for (const resource of deployment?.resources ?? []) {
    const { data } = script.safeParse(resource);
    for (const place of data?.inputs.environment.ENGINES ?? []) places.set(place.host, place);
  }
  return places.size === 0 ? [engineFromEnvironment()] : [...places.values()].map(engineAt);
}
