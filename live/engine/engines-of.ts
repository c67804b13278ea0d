import type { StreamName } from "../../lib/streams/stream-name.ts";
import type { EnginePlan } from "../../lib/topology/engines.ts";
import { exportState, type StackName } from "../pulumi-cli/export-state.ts";
import { type Answers, askWhoAnswers, EngineRefuses } from "./answering-engines.ts";
import { resolveContext } from "./contexts.ts";
import {
  type Engine,
  type EnginePlace,
  engineAt,
  engineFromEnvironment,
  formerEngineAt,
  formerKeyOf,
  isFormerOf,
  nothing,
  textField,
} from "./engine.ts";
import {
  containersIn,
  enginePlacesIn,
  hasUnplacedIn,
  type OnEngine,
  partsByEngine,
  streamsIn,
} from "./engines-in-state.ts";

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
  /** Those whose machines are lost for good, which aren't among the others; absent if there are none. */
  readonly lost?: LostEngines;
}

/** Engines whose machines are lost for good. */
export interface LostEngines {
  /** What the stack's state has there, by their keys. */
  readonly parts: ReadonlyMap<string, OnEngine>;
  /** Those that answer all the same. */
  readonly answering: readonly Engine[];
  /** The streams in the stack's state. */
  readonly streams: readonly StreamName[];
}

/** What the settings say of lost machines. */
export interface ToldLoss {
  /** Former keys of their engines. */
  readonly lost: readonly string[];
  /** What the names of the engines' providers begin with. */
  readonly prefix: string;
}

const NO_LOSS: ToldLoss = { lost: [], prefix: "" };

/**
 * The engines of a cluster: those of its settings, or the one that the environment chooses; and those that the settings
 * no longer have, while the stack still has nodes there, which are about to leave.
 *
 * @param cluster URN of the cluster in a program that may have several.
 * @throws EnginesChanged if nodes are on the environment's engine, and the settings have others; or if the settings
 * name a lost engine that the stack never had. EngineRefuses if one can't be reached as it is set up.
 */
export async function findEngines(
  planned: readonly EnginePlan[],
  stack: StackName,
  cluster?: string,
  { lost, prefix }: ToldLoss = NO_LOSS,
): Promise<ClusterEngines> {
  if (planned.length === 0) return unaskedEngines(planned);
  const resolved = await Promise.all(planned.map(resolveContext));
  const current = resolved.map(engineAt);
  // At the same time, because each takes its while.
  const asked = askWhoAnswers(current);
  asked.catch(() => undefined);
  const state = await exportState(stack);
  if (hasUnplacedIn(state, cluster)) {
    throw new EnginesChanged(
      "engines: the stack's nodes are on the Docker engine that the environment chooses, with their data. Take engines out; a new stack with engines can take over the streams as mirrors.",
    );
  }
  const hosts = new Set(resolved.map(({ host }) => host));
  const places = enginePlacesIn(state, cluster);
  const parts = partsByEngine(state, prefix, cluster);
  refuseUnknownLoss(lost, resolved, parts, places);
  const former = places.filter(({ host }) => !hosts.has(host));
  const isLost = ({ key }: EnginePlace) => lost.includes(formerKeyOf(key));
  const staying = former.filter((place) => !isLost(place)).map(formerEngineAt);
  const [answers, answering] = await Promise.all([
    Promise.all([asked, askWhoAnswers(staying)]),
    whichAnswer(former.filter(isLost).map(formerEngineAt)),
  ]);
  const found = await withoutRenamed({
    engines: [...current, ...staying],
    answering: answers.flatMap((each) => each.answering),
    silent: new Map(answers.flatMap(({ silent }) => [...silent])),
    recorded: containersIn(state, cluster),
  });
  if (lost.length === 0) return found;
  const gone = new Map(lost.flatMap((key) => [...parts].filter(([each]) => each === key)));
  return { ...found, lost: { parts: gone, answering, streams: streamsIn(state, cluster) } };
}

/** Of lost machines, some may answer. One that lets nobody in is taken for another one at its address. */
async function whichAnswer(engines: readonly Engine[]): Promise<readonly Engine[]> {
  const asked = engines.map(async (engine) => {
    try {
      return (await askWhoAnswers([engine])).answering;
    } catch (error) {
      if (error instanceof EngineRefuses) return [];
      throw error;
    }
  });
  return (await Promise.all(asked)).flat();
}

/** @throws EnginesChanged naming what there is. */
function refuseUnknownLoss(
  lost: readonly string[],
  planned: readonly EnginePlace[],
  parts: ReadonlyMap<string, unknown>,
  places: readonly EnginePlace[],
): void {
  const used = new Set(planned.map(({ key }) => key));
  const known = [...parts.keys()].filter((key) => !used.has(key));
  for (const key of lost) {
    const place = places.find((each) => formerKeyOf(each.key) === key);
    const same = planned.find(({ host }) => host === place?.host);
    if (same) {
      throw new EnginesChanged(
        `lost: ${key} is on the machine of ${same.key}, ${same.host}, which is in engines. Take both out of regions and engines, or neither.`,
      );
    }
    if (parts.has(key)) continue;
    const fix =
      known.length === 0
        ? "It was the key of none: remove it."
        : `Take out of engines what is lost, and name it: lost: ${JSON.stringify(known)}.`;
    throw new EnginesChanged(`lost: the stack has nothing on an engine "${key}". ${fix}`);
  }
}

/**
 * Leaves out hosts that don't answer any more, as their machines are reached by others now: machines get other addresses.
 * Which they are is told by the stack's containers.
 */
async function withoutRenamed(
  found: Required<Omit<ClusterEngines, "lost">>,
): Promise<ClusterEngines> {
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
