/** How scripts are told of a cluster's engines. */
import { z } from "zod";
import { type Engine, engineAt, engineFromEnvironment, formerEngineAt } from "./engine.ts";

/** The value of the variable ENGINES. */
export const enginePlaces = z
  .string()
  .transform((json): unknown => JSON.parse(json))
  .pipe(
    z.array(
      z.object({
        key: z.string(),
        host: z.string(),
        address: z.string(),
        ssh: z.array(z.string()),
        certPath: z.string().exactOptional(),
      }),
    ),
  );

/** The variables by which scripts are told of engines. */
export interface ToldEngines {
  /** JSON of places, see `EnginePlace`; absent if the environment chooses the only one. */
  readonly ENGINES?: string | undefined;
  /** Those that are no longer in the settings. */
  readonly FORMER_ENGINES?: string | undefined;
}

/** The engines that a script is told, or the one that the environment chooses. */
export function enginesFromEnvironment({
  ENGINES,
  FORMER_ENGINES,
}: ToldEngines | NodeJS.ProcessEnv): readonly Engine[] {
  if (ENGINES === undefined) return [engineFromEnvironment()];
  const former = FORMER_ENGINES === undefined ? [] : enginePlaces.parse(FORMER_ENGINES);
  return [...enginePlaces.parse(ENGINES).map(engineAt), ...former.map(formerEngineAt)];
}

/** The variable by which scripts are told of engines; none if the environment chooses the only one. */
export function enginesVariable(engines: readonly Engine[]): { readonly ENGINES?: string } {
  const told = engines.filter(({ isFormer }) => !isFormer).flatMap(({ place }) => place ?? []);
  return told.length === 0 ? {} : { ENGINES: JSON.stringify(told) };
}

/** The variable by which scripts are told of engines that are no longer in the settings. */
export function formerEnginesVariable(engines: readonly Engine[]): {
  readonly FORMER_ENGINES: string | undefined;
} {
  const told = engines.filter(({ isFormer }) => isFormer).flatMap(({ place }) => place ?? []);
  return { FORMER_ENGINES: told.length === 0 ? undefined : JSON.stringify(told) };
}
