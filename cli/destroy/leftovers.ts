import { z } from "zod";
import { listSome } from "../../lib/base/wording.ts";
import { GENERATION_LABEL, OWNER_LABEL } from "../../lib/nodes/labels.ts";
import { type Engine, labelField, nothing, reasonOf, textField } from "../../live/engine/engine.ts";
import { ownersIn, readState, type StackState } from "../stack/stack-state.ts";

/** A container, volume or network that some stack of this project made. */
export interface Found {
  readonly kind: Kind;
  /** As Pulumi's state has it: a container's id, the name of anything else. */
  readonly id: string;
  readonly name: string;
  /** Value of the owner's label, see lib/plan/stack-identity.ts. */
  readonly owner: string;
  /** Of a volume: value of the label that tells it from those that had its name before; else empty. */
  readonly generation: string;
}

type Kind = keyof typeof KINDS;

/** In the order in which they let go of each other. */
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

/** What of a stack is on its engine, as far as the end of the stack goes. */
export interface Remains {
  /** What a killed `up` made and could not note down: it holds volumes and the network. */
  readonly leftovers: readonly Found[];
  /** Names of data volumes that stay where the stack is destroyed, sorted. */
  readonly kept: readonly string[];
  /** Names of data volumes that go with it, sorted. */
  readonly going: readonly string[];
}

/** Looks at what the engine has and the state says. An engine that doesn't answer has nothing. */
export async function findRemains(engine: Engine, stack: string): Promise<Remains> {
  const kinds = Object.keys(KINDS) as Kind[];
  const [state, ...found] = await Promise.all([
    readState(stack),
    ...kinds.map((kind) => listOwned(engine, kind)),
  ]);
  return remainsAmong(found.flat(), state);
}

/**
 * Removes leftovers, of which Pulumi would never learn.
 *
 * @returns what it has done, a sentence each. Failures too: they must not bar the way to a stack's end.
 */
export async function removeLeftovers(
  engine: Engine,
  leftovers: readonly Found[],
): Promise<string[]> {
  const said: string[] = [];
  for (const leftover of leftovers) said.push(await remove(engine, leftover));
  return said;
}

/** Says which data volumes stay, and how to let go of them; nothing where none does. */
export function describeKept(kept: readonly string[]): string[] {
  if (kept.length === 0) return [];
  return [
    `These data volumes stay, with the messages in them: ${listSome(kept)}.`,
    `To let go of them and of the messages: docker volume rm ${kept.join(" ")}`,
  ];
}

/**
 * Sorts what a stack has made into what goes and what stays. What its state doesn't have is a leftover, but for data
 * volumes: one that was kept when its node left isn't in the state either, and may hold all messages that there are.
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
 * Whether a creation that never ended made a volume: one that was there already has the label of its own creation, as
 * the engine leaves a volume as it is whose name it is told to create.
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

/** What a stack has made that its state doesn't have. */
function unrecorded(found: readonly Found[], state: StackState): Found[] {
  const resources = state.deployment?.resources ?? [];
  const recorded = new Set(resources.flatMap(({ id, inputs }) => [id, networkOf(inputs)]));
  return ownedIn(found, state).filter(({ id }) => !recorded.has(id));
}

function ownedIn(found: readonly Found[], state: StackState): Found[] {
  const owners = ownersIn(state);
  return found.filter(({ owner }) => owners.has(owner));
}

/** The network is made by a Command, whose id says nothing. */
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
  return found.map((each) => ({ kind, ...each }));
}

async function remove(engine: Engine, { kind, id, name }: Found): Promise<string> {
  const force = kind === "container" ? ["--force"] : [];
  const what = `${kind} ${name}, which an interrupted \`up\` left behind`;
  try {
    await engine.run(kind, "rm", ...force, id);
    return `Removed ${what}.`;
  } catch (error) {
    return `Could not remove ${what}: ${reasonOf(error)}`;
  }
}
