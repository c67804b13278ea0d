import { NODE_LABEL, RESTART_SETTINGS_LABEL } from "../../lib/nodes/labels.ts";
import { CLIENT_PORT, MONITOR_PORT } from "../../lib/nodes/nats-conf.ts";
import { publishedAddress, publishedUrl, schemeOf } from "../../lib/nodes/published-ports.ts";
import type { Monitor } from "../monitoring/monitor.ts";
import { type Engine, labelField, textField } from "./engine.ts";
import { readMonitorSeed } from "./monitor-seed.ts";

/** A node of a stack as the Docker engine has it. */
export interface OwnNode extends Monitor {
  /** Name of its container. */
  readonly container: string;
  /** `restarting`: its server ends right after each start. */
  readonly state: "running" | "restarting" | "down";
  /** The value of the container's label with the settings that only a restart changes. */
  readonly restartSettings: string;
}

const FIELDS = {
  id: textField(".ID"),
  container: textField(".Names"),
  state: textField(".State"),
  ports: textField(".Ports"),
  name: labelField(NODE_LABEL),
  restartSettings: labelField(RESTART_SETTINGS_LABEL),
};

type Found = Readonly<Record<keyof typeof FIELDS, string>>;

/** The seeds that this process has found, by the ids of the containers that they serve for. */
const seeds = new Map<string, string>();

/**
 * Lists a stack's nodes by the labels of their containers, including nodes that are no longer in the settings. Those
 * that run come with what it takes to ask them.
 *
 * @param owner label of the stack's own objects, `label=value`.
 * @param trust the CA to ask the nodes with.
 * @throws DockerError
 */
export async function listOwnNodes(
  engine: Engine,
  owner: string,
  trust: Pick<Monitor, "ca">,
): Promise<OwnNode[]> {
  const filters = [`--filter=label=${owner}`, `--filter=label=${NODE_LABEL}`];
  const found = await engine.list<Found>(FIELDS, "ps", "--all", ...filters);
  const seed = await seedFor(engine, found);
  const access = { ...trust, ...(seed === undefined ? {} : { seed }) };
  return found.map((each) => toNode(each, access));
}

async function seedFor(engine: Engine, found: readonly Found[]): Promise<string | undefined> {
  const known = found.map(({ id }) => seeds.get(id)).find((seed) => seed !== undefined);
  if (known !== undefined) return known;
  const containers = found.map(({ container }) => container);
  const seed = await readMonitorSeed(engine, containers);
  if (seed !== undefined) for (const { id } of found) seeds.set(id, seed);
  return seed;
}

/** The nodes with these names; of one that doesn't run, only the name. */
export function findNodes(names: readonly string[], own: readonly OwnNode[]): Monitor[] {
  const running = new Map(
    own.filter(({ state }) => state === "running").map((node) => [node.name, node]),
  );
  return names.map((name) => running.get(name) ?? { name });
}

/**
 * Lists a stack's nodes like {@link listOwnNodes}, for callers that can wait until a restarting engine is back. If the
 * engine doesn't answer, the list is empty, and `silence` says why.
 */
export async function askEngine(
  engine: Engine,
  owner: string,
  trust: Pick<Monitor, "ca">,
): Promise<{ readonly own: readonly OwnNode[]; readonly silence?: string }> {
  try {
    return { own: await listOwnNodes(engine, owner, trust) };
  } catch (error) {
    return { own: [], silence: `the Docker engine doesn't answer (${(error as Error).message})` };
  }
}

function toNode(
  { container, state, ports, name, restartSettings }: Found,
  access: Pick<Monitor, "ca" | "seed">,
): OwnNode {
  const isKnown = state === "running" || state === "restarting";
  const address = publishedAddress(ports, CLIENT_PORT);
  const url = publishedUrl(ports, MONITOR_PORT, schemeOf(restartSettings));
  return {
    name,
    ...(address === undefined ? {} : { address }),
    ...(url === undefined ? {} : { url }),
    ...access,
    container,
    state: isKnown ? state : "down",
    restartSettings,
  };
}
