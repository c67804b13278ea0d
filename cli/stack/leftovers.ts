import { z } from "zod";
import { OWNER_LABEL } from "../../lib/labels.ts";
import { ask } from "../setup/process.ts";
import { askPulumi } from "./pulumi-cli.ts";

/** A container, volume or network that some stack of this project made. */
export interface Found {
  readonly kind: Kind;
  /** As Pulumi's state has it: a container's id, the name of anything else. */
  readonly id: string;
  readonly name: string;
  /** Value of the owner's label, see components/ownership.ts. */
  readonly owner: string;
}

type Kind = keyof typeof KINDS;

/** In the order in which they let go of each other. */
const KINDS = {
  container: { id: "{{.ID}}", name: "{{.Names}}", list: ["ps", "--all", "--no-trunc"] },
  volume: { id: "{{.Name}}", name: "{{.Name}}", list: ["volume", "ls"] },
  network: { id: "{{.Name}}", name: "{{.Name}}", list: ["network", "ls"] },
} as const;

/** What `pulumi stack export` gives. A stack that never had an `up` has no deployment. */
export const stackState = z.object({
  deployment: z
    .looseObject({
      resources: z
        .array(z.looseObject({ id: z.string().optional(), inputs: z.unknown().optional() }))
        .default([]),
    })
    .nullish(),
});

const commandOfNetwork = z.object({ environment: z.object({ NETWORK: z.string() }) });

export type StackState = z.output<typeof stackState>;

/**
 * Removes what a killed `up` made and could not note down: it holds volumes and the network, and Pulumi
 * would never learn of it.
 *
 * @returns what it has done, a sentence each. Failures too: they must not bar the way to a stack's end.
 */
export async function removeLeftovers(stack: string): Promise<string[]> {
  const kinds = Object.keys(KINDS) as Kind[];
  const found = (await Promise.all(kinds.map(listOwned))).flat();
  if (found.length === 0) return [];
  const said: string[] = [];
  for (const leftover of unrecorded(found, await readState(stack))) {
    said.push(await remove(leftover));
  }
  return said;
}

/** As whose a stack's containers, volumes and network are marked on the engine, each `label=value`. */
export async function readOwners(stack: string): Promise<string[]> {
  const { deployment } = await readState(stack);
  return [...ownersIn(JSON.stringify(deployment))].map((owner) => `${OWNER_LABEL}=${owner}`);
}

async function readState(stack: string): Promise<StackState> {
  return stackState.parse(JSON.parse(await askPulumi(["stack", "export", "--stack", stack])));
}

/** What a stack has made that its state doesn't have. */
export function unrecorded(found: readonly Found[], { deployment }: StackState): Found[] {
  const owners = ownersIn(JSON.stringify(deployment));
  const resources = deployment?.resources ?? [];
  const recorded = new Set(resources.flatMap(({ id, inputs }) => [id, networkOf(inputs)]));
  return found.filter(({ id, owner }) => owners.has(owner) && !recorded.has(id));
}

/**
 * As whose the state knows what it made, or began to make: an operation is noted down with its inputs
 * before it begins. A stack of the same name in another checkout has another owner.
 */
function ownersIn(deployment = ""): Set<string> {
  const labels = deployment.matchAll(/nats-regions\.owner(?:=|","value":")([0-9a-f]+)/g);
  return new Set(Array.from(labels, ([, owner = ""]) => owner));
}

/** The network is made by a Command, whose id says nothing. */
function networkOf(inputs: unknown): string | undefined {
  return commandOfNetwork.safeParse(inputs).data?.environment.NETWORK;
}

async function listOwned(kind: Kind): Promise<Found[]> {
  const { id, name, list } = KINDS[kind];
  const format = `--format=${[id, name, `{{.Label "${OWNER_LABEL}"}}`].join("\t")}`;
  const { stdout } = await ask("docker", [...list, `--filter=label=${OWNER_LABEL}`, format]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [id = "", name = "", owner = ""] = line.split("\t");
    return { kind, id, name, owner };
  });
}

async function remove({ kind, id, name }: Found): Promise<string> {
  const force = kind === "container" ? ["--force"] : [];
  const { ok, stderr } = await ask("docker", [kind, "rm", ...force, id]);
  const what = `${kind} ${name}, which an interrupted \`up\` left behind`;
  return ok ? `Removed ${what}.` : `Could not remove ${what}: ${stderr}`;
}
