import type { EnginePlan } from "../../lib/topology/engines.ts";
import { exportState, type StackName } from "../pulumi-cli/export-state.ts";
import { type Answers, askWhoAnswers } from "./answering-engines.ts";
import { resolveContext } from "./contexts.ts";
import {
  type Engine,
  engineAt,
  engineFromEnvironment,
  formerEngineAt,
  isFormerOf,
  nothing,
  textField,
} from "./engine.ts";
import { containersIn, enginePlacesIn, hasUnplacedIn } from "./engines-in-state.ts";

/** A stack has nodes on an engine that the settings don't tell of any more. */
export class EnginesChanged extends Error {
  override readonly name = "EnginesChanged";
}

/** The engines of a cluster. */
export interface ClusterEngines extends Answers {
  /** All of them, whether they answer or not. */
  readonly engines: readonly Engine[];
  /** Names of the containers in the stack's state; undefined unless the settings have engines. */
  readonly recorded?: ReadonlySet<string>;
}

/**
 * The engines of a cluster: those of its settings, or the one that the environment chooses; and those that the settings
 * no longer have, while the stack still has nodes there, which are about to leave.
 *
 * @param cluster URN of the cluster in a program that may have several.
 * @throws EnginesChanged if nodes are on the environment's engine, and the settings have others; EngineRefuses if one
 * can't be reached as it is set up.
 */
export async function findEngines(
  planned: readonly EnginePlan[],
  stack: StackName,
  cluster?: string,
): Promise<ClusterEngines> {
  if (planned.length === 0) return unaskedEngines(planned);
  const places = await Promise.all(planned.map(resolveContext));
  const current = places.map(engineAt);
  // At the same time, because each takes its while.
  const asked = askWhoAnswers(current);
  asked.catch(() => undefined);
  const state = await exportState(stack);
  if (hasUnplacedIn(state, cluster)) {
    throw new EnginesChanged(
      "engines: the stack's nodes are on the Docker engine that the environment chooses, with their data. Take engines out; a new stack with engines can take over the streams as mirrors.",
    );
  }
  const hosts = new Set(places.map(({ host }) => host));
  const former = enginePlacesIn(state, cluster)
    .filter(({ host }) => !hosts.has(host))
    .map(formerEngineAt);
  const answers = await Promise.all([asked, askWhoAnswers(former)]);
  return await withoutRenamed({
    engines: [...current, ...former],
    answering: answers.flatMap(({ answering }) => answering),
    silent: new Map(answers.flatMap(({ silent }) => [...silent])),
    recorded: containersIn(state, cluster),
  });
}

/**
 * Leaves out hosts that don't answer any more, as their machines are reached by others now: machines get other addresses.
 * Which they are is told by the stack's containers.
 */
async function withoutRenamed(found: Required<ClusterEngines>): Promise<ClusterEngines> {
  const { answering, recorded } = found;
  const gone = found.engines.filter(({ key, isFormer }) => isFormer && found.silent.has(key));
  const looks = gone.map(async (former) => {
    const engine = answering.find((each) => isFormerOf(former, each));
    const names = { name: textField(".Names") };
    const rows = (await engine?.list(names, "ps", "--all").catch(nothing)) ?? [];
    return rows.some(({ name }) => recorded.has(name)) ? former : undefined;
  });
  const renamed = new Set(await Promise.all(looks));
  const keys = new Set([...renamed].map((engine) => engine?.key));
  return {
    ...found,
    engines: found.engines.filter((engine) => !renamed.has(engine)),
    silent: new Map([...found.silent].filter(([key]) => !keys.has(key))),
  };
}

/** The engines of the settings, or the one that the environment chooses. */
export function unaskedEngines(planned: readonly EnginePlan[]): ClusterEngines {
  const engines = planned.length === 0 ? [engineFromEnvironment()] : planned.map(engineAt);
  return { engines, answering: engines, silent: new Map() };
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
