import { NODE_LABEL, RESTART_SETTINGS_LABEL } from "../../lib/nodes/labels.ts";
import { CLIENT_PORT } from "../../lib/nodes/nats-conf.ts";
import { pagesUrl, publishedAddress } from "../../lib/nodes/published-ports.ts";
import type { Monitor, OwnLogin } from "../monitoring/monitor.ts";
import { type Engine, labelField, nothing, textField } from "./engine.ts";
import { type FoundLogin, ownLogin, readOwnLogin } from "./own-login.ts";

/** A node of a stack as the Docker engine has it. */
export interface OwnNode extends Monitor {
  /** The engine that its container is on. */
  readonly engine: Engine;
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

type Row = Readonly<Record<keyof typeof FIELDS, string>>;

interface Found extends Row {
  readonly engine: Engine;
}

/** The logins that this process has found, by the ids of the containers that they serve for. */
const logins = new Map<string, FoundLogin>();

/**
 * Lists a stack's nodes by the labels of their containers, including nodes that are no longer in the settings. Those
 * that run come with what it takes to ask them.
 *
 * @param owner label of the stack's own objects, `label=value`.
 * @param trust the CA to ask the nodes with.
 * @throws DockerError if one of the engines in the settings doesn't answer.
 */
export async function listOwnNodes(
  engines: readonly Engine[],
  owner: string,
  trust: Pick<Monitor, "ca">,
): Promise<OwnNode[]> {
  const lists = engines.map((engine) => {
    const found = listFound(engine, owner);
    // The machine of one that the settings no longer have may be gone.
    return engine.isFormer ? found.catch(nothing) : found;
  });
  return await toNodes((await Promise.all(lists)).flat(), trust);
}

async function listFound(engine: Engine, owner: string): Promise<Found[]> {
  const filters = [`--filter=label=${owner}`, `--filter=label=${NODE_LABEL}`];
  const rows = await engine.list<Row>(FIELDS, "ps", "--all", ...filters);
  return rows.map((row) => ({ ...row, engine }));
}

async function toNodes(all: readonly Found[], trust: Pick<Monitor, "ca">): Promise<OwnNode[]> {
  const found = withoutDoubles(all);
  const login = ownLogin(await loginFor(found), () => Promise.resolve(found));
  const access = { ...trust, ...login };
  return found.map((each) => toNode(each, access));
}

/** Containers without those of engines that are known by their former host, too. */
export function withoutDoubles<Container extends { readonly id: string; readonly engine: Engine }>(
  found: readonly Container[],
): Container[] {
  const current = new Set(found.filter(({ engine }) => !engine.isFormer).map(({ id }) => id));
  return found.filter(({ id, engine }) => !engine.isFormer || !current.has(id));
}

async function loginFor(found: readonly Found[]): Promise<FoundLogin | undefined> {
  const known = found.map(({ id }) => logins.get(id)).find((login) => login !== undefined);
  if (known !== undefined) return known;
  const login = await readOwnLogin(found);
  if (login !== undefined) for (const { id } of found) logins.set(id, login);
  return login;
}

/** The nodes with these names; of one that doesn't run, only the name. */
export function findNodes(names: readonly string[], own: readonly OwnNode[]): Monitor[] {
  const running = new Map(
    own.filter(({ state }) => state === "running").map((node) => [node.name, node]),
  );
  return names.map((name) => running.get(name) ?? { name });
}

/**
 * Lists a stack's nodes like {@link listOwnNodes}, for callers that can wait until a restarting engine is back. Of an
 * engine that doesn't answer there are none, and `silence` says why.
 */
export async function askEngines(
  engines: readonly Engine[],
  owner: string,
  trust: Pick<Monitor, "ca">,
): Promise<{ readonly own: readonly OwnNode[]; readonly silence?: string }> {
  const answers = await Promise.allSettled(
    engines.map((engine) => (engines.length === 1 ? listFound(engine, owner) : ask(engine, owner))),
  );
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const own = await toNodes(found, trust);
  const reasons = answers.flatMap((answer, index) =>
    answer.status === "rejected" ? [describeSilence(engines[index], answer.reason)] : [],
  );
  return reasons.length === 0 ? { own } : { own, silence: reasons.join("; ") };
}

/** Milliseconds for an answer of one of several engines: one that hangs mustn't hold up what goes by the others. */
const ANSWER_MS = 20_000;
/** Milliseconds for which one of several engines that didn't answer isn't asked again: each attempt takes seconds. */
const REST_MS = 20_000;
const silences = new WeakMap<Engine, { readonly until: number; readonly error: unknown }>();

async function ask(engine: Engine, owner: string): Promise<Found[]> {
  const silence = silences.get(engine);
  if (silence && performance.now() < silence.until) throw silence.error;
  try {
    const found = await listFound(engine.within(ANSWER_MS), owner);
    return found.map((each) => ({ ...each, engine }));
  } catch (error) {
    silences.set(engine, { until: performance.now() + REST_MS, error });
    throw error;
  }
}

/**
 * Lists a stack's nodes like {@link listOwnNodes}, for callers that do what they can: an engine that doesn't answer is
 * named and left out, unless none answers.
 *
 * @throws Error if none answers.
 */
export async function listReachable(
  engines: readonly Engine[],
  owner: string,
  trust: Pick<Monitor, "ca">,
  say: (line: string) => void = console.error,
): Promise<readonly OwnNode[]> {
  const { own, silence } = await askEngines(engines, owner, trust);
  if (silence !== undefined && own.length === 0) throw new Error(silence);
  if (silence !== undefined) say(`${silence}: going on without its nodes`);
  return own;
}

function describeSilence(engine: Engine | undefined, error: unknown): string {
  const whose = engine?.key ? `the Docker engine of ${engine.key}` : "the Docker engine";
  return `${whose} doesn't answer (${error instanceof Error ? error.message : error})`;
}

function toNode(
  { engine, container, state, ports, name, restartSettings }: Found,
  access: Pick<Monitor, "ca"> & OwnLogin,
): OwnNode {
  const isKnown = state === "running" || state === "restarting";
  const address = publishedAddress(ports, CLIENT_PORT, engine.address);
  const url = pagesUrl(ports, restartSettings, engine.address);
  return {
    name,
    ...(address === undefined ? {} : { address }),
    ...(url === undefined ? {} : { url }),
    ...access,
    engine,
    container,
    state: isKnown ? state : "down",
    restartSettings,
  };
}
