import { NODE_LABEL, RESTART_SETTINGS_LABEL } from "../../lib/nodes/labels.ts";
import { MONITOR_PORT } from "../../lib/nodes/nats-conf.ts";
import { publishedUrl, schemeOf } from "../../lib/nodes/published-ports.ts";
import type { Monitor } from "../monitoring/monitoring-page.ts";
import { type Engine, labelField, textField } from "./engine.ts";

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
  container: textField(".Names"),
  state: textField(".State"),
  ports: textField(".Ports"),
  name: labelField(NODE_LABEL),
  restartSettings: labelField(RESTART_SETTINGS_LABEL),
};

type Found = Readonly<Record<keyof typeof FIELDS, string>>;

/** Nothing listens there, as it should be for a container that is down. */
const NOWHERE = "http://127.0.0.1:0";

/**
 * Lists a stack's nodes by the labels of their containers, including nodes that are no longer in the settings.
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
  return found.map((each) => toNode(each, trust));
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
  trust: Pick<Monitor, "ca">,
): OwnNode {
  const isKnown = state === "running" || state === "restarting";
  const url = publishedUrl(ports, MONITOR_PORT, schemeOf(restartSettings)) ?? NOWHERE;
  return {
    name,
    url,
    ...trust,
    container,
    state: isKnown ? state : "down",
    restartSettings,
  };
}
