import type { EnginePlan } from "../../lib/topology/engines.ts";
import { type Engine, engineAt, engineFromEnvironment } from "./engine.ts";

/** The engines of a cluster: those of its settings, or the one that the environment chooses. */
export function enginesOf(planned: readonly EnginePlan[]): readonly Engine[] {
  return planned.length === 0 ? [engineFromEnvironment()] : planned.map(engineAt);
}

/** The engine of a node. */
export function engineOf(
  engines: readonly Engine[],
  { engine: planned }: { readonly engine?: EnginePlan },
): Engine {
  const key = planned?.key ?? "";
  const found = engines.find((engine) => engine.key === key);
  if (!found) throw new Error(`there is no engine ${key}`);
  return found;
}
