import { z } from "zod";
import { listSome } from "../../lib/base/wording.ts";
import { GENERATION_LABEL, OWNER_LABEL } from "../../lib/nodes/labels.ts";
import { type Engine, labelField, nothing, reasonOf, textField } from "../../live/engine/engine.ts";
import { ownersIn, readState, type StackState } from "../stack/stack-state.ts";

/** A container, volume or network with an owner label of this project. */
export interface Found {
  readonly kind: Kind;
  /** The engine that it is on. */
  readonly engine: Engine;
  /** Its id in Pulumi's state: a container's id, the name of anything else. */
  readonly id: string;
  readonly name: string;
  /** Value of the owner label, see lib/plan/stack-identity.ts. */
  readonly owner: string;
  /** For a volume, value of the label that distinguishes it from earlier volumes of the same name; otherwise empty. */
  readonly generation: string;
}

type Kind = keyof typeof KINDS;

/** In the order in which they can be removed. */
const KINDS = {
  container: { id: ".ID", name: ".Names", list: ["ps", "--all", "--no-trunc"] },
  volume: { id: ".Name", name: ".Name", list: ["volume", "ls"] },
  network: { id: ".Name", name: ".Name", list: ["network", "ls"] },
} as const;

const volumeInputs = z.object({
  name: z.string(),
  labels: z.array(z.object({ label: z.string(), value: z.string() })),
});

const commandOfNetwork = z.object({ environment: z.object({ NETWORK: z.string() }) });

/** What exists of a stack on its engines, besides what its state records. */
export interface Remains {
  /** What a killed `up` created and couldn't record: it blocks the removal of volumes and of the network. */
  readonly leftovers: readonly Found[];
  /** Names of the data volumes that stay when the stack is destroyed, sorted. */
  readonly kept: readonly string[];
  /** Names of the data volumes that are deleted with it, sorted. */
  readonly going: readonly string[];
}

/** Compares engines with the stack's state. One that doesn't answer has nothing. */
export async function findRemains(stack: string, engines: readonly Engine[]): Promise<Remains> {
  const kinds = Object.keys(KINDS) as Kind[];
  const state = await readState(stack);
  const lists = engines.flatMap((engine) => kinds.map((kind) => listOwned(engine, kind)));
  return remainsAmong((await Promise.all(lists)).flat(), state);
}

/**
 * Removes leftovers, which Pulumi knows nothing about.
 *
 * @returns a sentence for each result. Failures are results, too: they mustn't prevent the stack's deletion.
 */
export async function removeLeftovers(leftovers: readonly Found[]): Promise<string[]> {
  const said: string[] = [];
  for (const leftover of leftovers) said.push(await remove(leftover));
  return said;
}

/** Says which data volumes stay, and how to remove them; empty if none stays. */
export function describeKept(kept: readonly string[]): string[] {
  if (kept.length === 0) return [];
  return [
    `These data volumes stay, with the messages in them: ${listSome(kept)}.`,
    `To let go of them and of the messages: docker volume rm ${kept.join(" ")}`,
  ];
}

/**
 * Sorts a stack's objects into those that stay and those that are removed. Objects that aren't in the state are
 * leftovers, except for data volumes: a volume that was kept when its node left isn't in the state either, and may hold
 * messages.
 */
export function remainsAmong(found: readonly Found[], state: StackState): Remains {
  const resources = state.deployment?.resources ?? [];
  const retained = new Set(
    resources.flatMap(({ id, retainOnDelete }) => (retainOnDelete ? [id] : [])),
  );
  const unknown = new Set(unrecorded(found, state));
  const stays = (each: Found) =>
    isData(each) && (unknown.has(each) ? !isOfBrokenCreation(each, state) : retained.has(each.id));
  const data = ownedIn(found, state).filter(isData);
  const names = (volumes: readonly Found[]) => volumes.map(({ name }) => name).sort();
  return {
    leftovers: [...unknown].filter((each) => !stays(each)),
    kept: names(data.filter(stays)),
    going: names(data.filter((each) => !stays(each))),
  };
}

function isData({ kind, name }: Found): boolean {
  return kind === "volume" && name.endsWith("-data");
}

/**
 * Whether an interrupted creation made this volume. A volume that existed before has the label of its own creation: the
 * engine leaves an existing volume unchanged when a volume of that name is to be created.
 */
function isOfBrokenCreation({ name, generation }: Found, { deployment }: StackState): boolean {
  if (generation === "") return false;
  return (deployment?.pending_operations ?? []).some(({ resource: { inputs, retainOnDelete } }) => {
    if (retainOnDelete) return false;
    const { data } = volumeInputs.safeParse(inputs);
    const label = data?.labels.find(({ label }) => label === GENERATION_LABEL);
    return data?.name === name && label?.value === generation;
  });
}

/** Objects of a stack that its state doesn't have. */
function unrecorded(found: readonly Found[], state: StackState): Found[] {
  const resources = state.deployment?.resources ?? [];
  const recorded = new Set(resources.flatMap(({ id, inputs }) => [id, networkOf(inputs)]));
  return ownedIn(found, state).filter(({ id }) => !recorded.has(id));
}

function ownedIn(found: readonly Found[], state: StackState): Found[] {
  const owners = ownersIn(state);
  return found.filter(({ owner }) => owners.has(owner));
}

/** A Command creates the network, so the resource's id isn't the network's. */
function networkOf(inputs: unknown): string | undefined {
  return commandOfNetwork.safeParse(inputs).data?.environment.NETWORK;
}

async function listOwned(engine: Engine, kind: Kind): Promise<Found[]> {
  const { id, name, list } = KINDS[kind];
  const fields = {
    id: textField(id),
    name: textField(name),
    owner: labelField(OWNER_LABEL),
    generation: labelField(GENERATION_LABEL),
  };
  const filter = `--filter=label=${OWNER_LABEL}`;
  const found = await engine.list(fields, ...list, filter).catch(nothing);
  return found.map((each) => ({ kind, engine, ...each }));
}

async function remove({ engine, kind, id, name }: Found): Promise<string> {
  const force = kind === "container" ? ["--force"] : [];
  const what = `${kind} ${name}, which an interrupted \`up\` left behind`;
  try {
    await engine.run(kind, "rm", ...force, id);
    return `Removed ${what}.`;
  } catch (error) {
    return `Could not remove ${what}: ${reasonOf(error)}`;
  }
}
