import { type Engine, engineAt, engineFromEnvironment } from "../../live/engine/engine.ts";
import { enginePlacesIn } from "../../live/engine/engines-in-state.ts";
import type { StackState } from "./stack-state.ts";

/** The engines that a stack is on: those of its settings, or the one that the environment chooses. */
export function enginesIn(state: StackState): readonly Engine[] {
  const places = enginePlacesIn(state);
  return places.length === 0 ? [engineFromEnvironment()] : places.map(engineAt);
}
