import { createServer } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { parseTar } from "nanotar";
import { z } from "zod";
import {
  howToSet,
  howToUnset,
  pulumiCommand,
  type SettingsPlace,
} from "../../lib/base/settings-place.ts";
import { CLUSTER_LABEL, NODE_LABEL, RESTART_SETTINGS_LABEL } from "../../lib/nodes/labels.ts";
import { CLIENT_PORT, CONFIG_DIR, MONITOR_PORT, TLS_FILES } from "../../lib/nodes/nats-conf.ts";
import {
  publishedAddress,
  publishedPorts,
  publishedUrl,
  schemeOf,
} from "../../lib/nodes/published-ports.ts";
import { imageVersion, whyNotTogether } from "../../lib/nodes/versions.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { describeForeign } from "../../lib/plan/stack-identity.ts";
import type { SettingValues } from "../../lib/settings/setting-values.ts";
import type { RunningTls } from "../../lib/tls/own-certificates.ts";
import { describeKeptVolumes } from "../../lib/update/kept-volumes.ts";
import { describeLostData, describeNotKept } from "../../lib/update/lost-data.ts";
import {
  DockerError,
  type Engine,
  type Fields,
  labelField,
  NotFound,
  noEngine,
  textField,
} from "../../live/engine/engine.ts";
import { askMemoryKills } from "../../live/engine/memory-kills.ts";
import { type Ownership, ownerFilter } from "../ownership.ts";
import { type Teller, tellerOf } from "../teller.ts";

interface Found {
  readonly name: string;
  readonly owner: string;
}

interface FoundContainer extends Found {
  readonly running: boolean;
  /** Name of the node, empty for a helper. */
  readonly node: string;
  readonly cluster: string;
  /** JSON, empty where the container was made before there was this label. */
  readonly settings: string;
  /** On the engine's host. */
  readonly publishedPorts: ReadonlySet<number>;
  readonly monitoringUrl: string | undefined;
  readonly clientAddress: string | undefined;
}

const settingValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** What of the stack was on the engine before anything was changed. */
export interface EngineState {
  /** The containers of its nodes, by name. */
  readonly containers: ReadonlyMap<string, EngineNode>;
  /** Nodes that its settings have no more, by their names. */
  readonly leaving: ReadonlyMap<string, EngineNode>;
  /** Names of its nodes that have a data volume, but no container: they aren't new. */
  readonly bereft: ReadonlySet<string>;
  readonly hasNetwork: boolean;
  /** There where nodes come back to data volumes that were kept, and may bring streams along. */
  readonly hasKept?: true;
  /** What its nodes trust and show; undefined where none has TLS. */
  readonly tls?: RunningTls;
}

export interface EngineNode {
  /** The settings that it was made with and no reload changes; undefined where it has no label with them. */
  readonly settings?: SettingValues;
  /** Undefined where it doesn't run. */
  readonly monitoringUrl?: string;
  /** Where its clients reach it, e.g. `127.0.0.1:4222`; undefined where it doesn't run. */
  readonly clientAddress?: string;
}

/**
 * Looks at the Docker engine before anything is planned on it, so that what can't work is refused while
 * nothing has changed: no engine, somebody else's objects by the planned names, another cluster's nodes,
 * ports that are taken. Warns of nodes that don't run, as a stack's state doesn't know before a refresh.
 *
 * @throws pulumi.RunError naming the way out.
 */
export async function inspectEngine(
  engine: Engine,
  plan: ClusterPlan,
  ownership: Ownership,
  tell = tellerOf(),
): Promise<EngineState> {
  const owner = ownership.label.value;
  const [containers, volumes, networks] = await Promise.all([
    listContainers(engine, plan, ownership),
    list(engine, "volume", plan, ownership),
    list(engine, "network", plan, ownership),
  ]);
  refuseForeign([...containers, ...volumes, ...networks], plan, owner);
  const own = containers.filter((found) => found.owner === owner && found.node !== "");
  refuseOtherCluster(own, plan);
  refuseMixedVersions(own, plan);
  refuseMixedTls(own, plan);
  const bereft = findBereft(own, volumes, plan);
  const ownVolumes = volumes.filter((found) => found.owner === owner);
  const returning = findReturning(own, ownVolumes, plan);
  await warnOfStopped(
    engine,
    own,
    new Set([...bereft].filter((name) => !returning.has(name))),
    plan,
    ownership,
    tell,
  );
  warnOfKept(own, ownVolumes, returning, plan, tell);
  warnOfLostData(own, volumes, plan, tell);
  if (own.length === 0 && networks.length === 0) warnOfNotKept(ownVolumes, plan, tell);
  await refuseTakenPorts(engine, own, plan);
  const planned = new Set(nodesOf(plan).map(({ containerName }) => containerName));
  const [staying, leaving] = partition(own, ({ name }) => planned.has(name));
  return {
    containers: new Map(staying.map((found) => [found.name, engineNode(found)])),
    leaving: new Map(leaving.map((found) => [found.node, engineNode(found)] as const).sort(byName)),
    bereft,
    hasNetwork: networks.some(({ name }) => name === plan.prefix),
    ...(returning.size > 0 ? { hasKept: true as const } : {}),
    ...(await readTls(engine, own, plan)),
  };
}

const byName = ([a]: readonly [string, EngineNode], [b]: readonly [string, EngineNode]) =>
  a < b ? -1 : 1;

function partition<Item>(
  items: readonly Item[],
  isFirst: (item: Item) => boolean,
): [Item[], Item[]] {
  const groups = Map.groupBy(items, isFirst);
  return [groups.get(true) ?? [], groups.get(false) ?? []];
}

function engineNode({ settings, monitoringUrl, clientAddress }: FoundContainer): EngineNode {
  return {
    ...(settings === "" ? {} : { settings: settingValues.parse(JSON.parse(settings)) }),
    ...(monitoringUrl === undefined ? {} : { monitoringUrl }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
  };
}

/**
 * Loopback of another machine is not ours, and "everywhere" is no address to reach it by.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseUnreachable(
  { isLocal, host }: Engine,
  { bindAddress, monitorAddress }: Pick<ClusterPlan, "bindAddress" | "monitorAddress">,
  place: SettingsPlace = "config",
): void {
  if (isLocal) return;
  for (const [setting, address] of Object.entries({ bindAddress, monitorAddress })) {
    if (!/^(127\.|0\.0\.0\.0)/.test(address)) continue;
    throw new pulumi.RunError(
      `${setting}: nodes on ${host} can't be reached at ${address}.\nSet it to an address of that machine: ${howToSet(place, setting, "10.0.0.5")}`,
    );
  }
}

async function listContainers(
  engine: Engine,
  plan: ClusterPlan,
  { label }: Ownership,
): Promise<FoundContainer[]> {
  const fields = {
    name: textField(".Names"),
    owner: labelField(label.label),
    node: labelField(NODE_LABEL),
    cluster: labelField(CLUSTER_LABEL),
    settings: labelField(RESTART_SETTINGS_LABEL),
    state: textField(".State"),
    ports: textField(".Ports"),
  };
  const rows = await listNamed(engine, fields, plan, "ps", "--all");
  return rows.map(({ state, ports, ...row }) => ({
    ...row,
    running: state === "running",
    publishedPorts: new Set([
      ...publishedPorts(ports),
      ...(state === "restarting" ? portsIn(row.settings) : []),
    ]),
    monitoringUrl: publishedUrl(ports, MONITOR_PORT, schemeOf(row.settings)),
    clientAddress: publishedAddress(ports, CLIENT_PORT),
  }));
}

/** The engine shows no ports of a container between two of its starts, which come any moment and take them again. */
function portsIn(settings: string): number[] {
  if (settings === "") return [];
  const { clientPort, monitorPort } = settingValues.parse(JSON.parse(settings));
  return [clientPort, monitorPort].map(Number);
}

async function list(
  engine: Engine,
  kind: "volume" | "network",
  plan: ClusterPlan,
  { label }: Ownership,
): Promise<Found[]> {
  const fields = { name: textField(".Name"), owner: labelField(label.label) };
  return await listNamed(engine, fields, plan, kind, "ls");
}

/** Lists what has the stack's prefix in its name, another stack's too. */
async function listNamed<Row>(
  engine: Engine,
  fields: Fields<Row>,
  { prefix, identity }: ClusterPlan,
  ...command: readonly string[]
): Promise<Row[]> {
  try {
    return await engine.list(fields, ...command, `--filter=name=${prefix}`);
  } catch (error) {
    throw toRunError(error, identity);
  }
}

function refuseForeign(found: readonly Found[], plan: ClusterPlan, owner: string): void {
  const planned = new Set([
    plan.prefix,
    ...nodesOf(plan).flatMap((node) => [node.containerName, node.configVolume, node.dataVolume]),
  ]);
  const foreign = found.filter((each) => planned.has(each.name) && each.owner !== owner);
  if (foreign.length === 0) return;
  throw new pulumi.RunError(describeForeign(plan.identity, foreign));
}

function refuseOtherCluster(own: readonly FoundContainer[], { cluster }: ClusterPlan): void {
  const other = own.find((found) => found.cluster !== cluster);
  if (!other) return;
  throw new pulumi.RunError(
    `cluster: ${other.node} belongs to cluster "${other.cluster}", and a server can't take its streams into "${cluster}".\nPut the name back, or make another stack for the new cluster.`,
  );
}

/** Of any node that has TLS: as nodes trust each other, what is good for one is good for all. */
async function readTls(
  engine: Engine,
  own: readonly FoundContainer[],
  plan: ClusterPlan,
): Promise<Pick<EngineState, "tls">> {
  const secured = own.filter((container) => tlsOf(container) !== "none");
  const container = (secured.find(({ running }) => running) ?? secured[0])?.name;
  if (container === undefined) return {};
  const read = (file: string) => readFile(engine, container, `${CONFIG_DIR}/${file}`, plan);
  const [ca, certificate] = await Promise.all([read(TLS_FILES.ca), read(TLS_FILES.certificate)]);
  return ca === undefined || certificate === undefined ? {} : { tls: { ca, certificate } };
}

/** The text of a file in a container; undefined where it isn't there. */
async function readFile(
  engine: Engine,
  container: string,
  file: string,
  { identity }: ClusterPlan,
): Promise<string | undefined> {
  try {
    const archive = await engine.read("cp", `${container}:${file}`, "-");
    // A copy, as nanotar reads the memory from its start, of which a Buffer may be but a part.
    return parseTar(new Uint8Array(archive))[0]?.text;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw toRunError(error, identity);
  }
}

function toRunError(error: unknown, identity: ClusterPlan["identity"]): unknown {
  if (!(error instanceof DockerError)) return error;
  return new pulumi.RunError(noEngine(error, settingsPlaceOf(identity)));
}

/** What a container was made with; `none` where it doesn't say. */
function tlsOf(container: FoundContainer): string {
  return `${engineNode(container).settings?.tls ?? "none"}`;
}

/**
 * A route is made between two nodes that both have TLS, by authorities that the other knows, or both have
 * none: nodes that are changed one after the other would take the cluster apart.
 */
function refuseMixedTls(own: readonly FoundContainer[], plan: ClusterPlan): void {
  const other = own
    .filter((container) => tlsOf(container) !== plan.tls)
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const planned = new Set(nodesOf(plan).map(({ containerName }) => containerName));
  const [staying, leaving] = partition(other, ({ name }) => planned.has(name));
  const [leaver] = leaving;
  if (leaver) {
    throw new pulumi.RunError(
      `tls: ${leaver.node} is to leave, but nodes with tls: ${plan.tls} don't talk to it, so that nothing could move off it.\nTake nodes out first, with tls: ${tlsOf(leaver)}, and change tls in an update of its own.`,
    );
  }
  const [first] = staying;
  if (!first || plan.rollout === "all") return;
  const place = settingsPlaceOf(plan.identity);
  const atOnce = `${howToSet(place, "rollout", "all")}, then ${pulumiCommand(place)} up, then ${howToUnset(place, "rollout")}`;
  throw new pulumi.RunError(
    `tls: ${first.node} runs with tls: ${tlsOf(first)}, and doesn't talk to nodes with tls: ${plan.tls}: changed one after the other, they would take the cluster apart.\nKeep it: ${howToSet(place, "tls", tlsOf(first))}; or change all nodes at once, which is an outage of some seconds and cuts off clients that don't follow: ${atOnce}.`,
  );
}

/** While the nodes of one wave have the new image, the others have the old one. */
function refuseMixedVersions(
  own: readonly FoundContainer[],
  { identity, image, rollout }: ClusterPlan,
): void {
  const planned = imageVersion(image);
  if (!planned || rollout === "all") return;
  for (const container of own) {
    const running = imageVersion(`${engineNode(container).settings?.image ?? ""}`);
    const reason = running && whyNotTogether(running, planned);
    if (!reason) continue;
    throw new pulumi.RunError(
      `image: ${container.node} can't be changed to ${image} while the others run: ${reason}.\nGo to a version between the two first, e.g. ${howToSet(settingsPlaceOf(identity), "image", "nats:2.14.9")}, then on.`,
    );
  }
}

/** Empty where no node has a container: then the cluster is yet to be made, or was never finished. */
function findBereft(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  plan: ClusterPlan,
): ReadonlySet<string> {
  const containers = new Set(own.map(({ name }) => name));
  const held = new Set(own.length === 0 ? [] : volumes.map(({ name }) => name));
  return new Set(
    nodesOf(plan)
      .filter((node) => held.has(node.dataVolume) && !containers.has(node.containerName))
      .map(({ name }) => name),
  );
}

/** Names of nodes that have a data volume and nothing else: it was kept when they left, or the stack was destroyed. */
function findReturning(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  plan: ClusterPlan,
): ReadonlySet<string> {
  const containers = new Set(own.map(({ name }) => name));
  const held = new Set(volumes.map(({ name }) => name));
  return new Set(
    nodesOf(plan)
      .filter(
        ({ containerName, configVolume, dataVolume }) =>
          held.has(dataVolume) && !held.has(configVolume) && !containers.has(containerName),
      )
      .map(({ name }) => name),
  );
}

function warnOfKept(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  returning: ReadonlySet<string>,
  plan: ClusterPlan,
  tell: Teller,
): void {
  const nodes = nodesOf(plan);
  const taken = new Set([
    ...nodes.map(({ dataVolume }) => dataVolume),
    ...own.map(({ name }) => `${name}-data`),
  ]);
  const kept = {
    returning: nodes
      .filter(({ name }) => returning.has(name))
      .map(({ name: node, dataVolume }) => ({ node, dataVolume })),
    others: volumes
      .map(({ name }) => name)
      .filter((name) => isDataVolume(name, plan) && !taken.has(name))
      .sort(),
    isNew: own.length === 0,
  };
  for (const line of describeKeptVolumes(kept)) tell.warn(line);
}

/** Another stack's name may begin with this one's. */
function isDataVolume(name: string, { prefix }: ClusterPlan): boolean {
  return name.startsWith(`${prefix}-`) && name.endsWith("-data");
}

async function warnOfStopped(
  engine: Engine,
  containers: readonly FoundContainer[],
  bereft: ReadonlySet<string>,
  plan: ClusterPlan,
  ownership: Ownership,
  tell: Teller,
): Promise<void> {
  const stopped = new Set(containers.filter(({ running }) => !running).map(({ name }) => name));
  const names = nodesOf(plan)
    .filter(({ name, containerName }) => stopped.has(containerName) || bereft.has(name))
    .map(({ name }) => name);
  if (names.length === 0) return;
  const place = settingsPlaceOf(plan.identity);
  const kills = await askMemoryKills(engine, ownerFilter(ownership), place);
  tell.warn(
    `${names.length} of ${nodesOf(plan).length} nodes don't run: ${names.join(", ")}. \`${pulumiCommand(place)} up --refresh\` brings them back; without --refresh, an \`up\` does so where it restarts them anyway.${kills === undefined ? "" : ` ${kills}.`}`,
  );
}

/** A node that has its config, but not its data, is not new: somebody removed the volume, or its disk is gone. */
function warnOfLostData(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  plan: ClusterPlan,
  tell: Teller,
): void {
  if (own.length === 0) return;
  const held = new Set(volumes.map(({ name }) => name));
  const emptied = nodesOf(plan).filter(
    ({ configVolume, dataVolume }) => held.has(configVolume) && !held.has(dataVolume),
  );
  if (emptied.length === 0) return;
  const names = emptied.map(({ name }) => name);
  const pulumi = pulumiCommand(settingsPlaceOf(plan.identity));
  tell.warn(`${describeLostData(plan, names)} \`${pulumi} up --refresh\` goes on.`);
}

/**
 * Where a stack has nothing but data volumes, a `destroy` has kept them, and somebody may have removed some. What an
 * interrupted first `up` has left has a config or the network beside them.
 */
function warnOfNotKept(volumes: readonly Found[], plan: ClusterPlan, tell: Teller): void {
  if (!volumes.every(({ name }) => isDataVolume(name, plan))) return;
  const held = new Set(volumes.map(({ name }) => name));
  const [kept, others] = partition(nodesOf(plan), ({ dataVolume }) => held.has(dataVolume));
  if (kept.length === 0) return;
  const names = others.map(({ name }) => name);
  for (const line of describeNotKept(plan, names)) tell.warn(line);
}

async function refuseTakenPorts(
  { isLocal }: Engine,
  own: readonly FoundContainer[],
  plan: ClusterPlan,
): Promise<void> {
  if (!isLocal) return;
  const taken = await Promise.all(nodesOf(plan).map((node) => findTakenPort(node, own, plan)));
  const problems = taken.filter((problem) => problem !== undefined);
  if (problems.length === 0) return;
  throw new pulumi.RunError(
    `Ports are in use, nothing was changed:\n${problems.map((line) => `  ${line}`).join("\n")}\nStop what holds them, or choose others: ${howToSet(settingsPlaceOf(plan.identity), "clientPort", 5222)}`,
  );
}

/** A port that the node itself holds is its own; one that its sibling holds is not free in time. */
async function findTakenPort(
  { name, containerName, clientPort, monitorPort }: NodePlan,
  own: readonly FoundContainer[],
  { bindAddress, monitorAddress }: ClusterPlan,
): Promise<string | undefined> {
  const published = [
    ["clientPort", clientPort, bindAddress],
    ["monitorPort", monitorPort, monitorAddress],
  ] as const;
  for (const [setting, port, address] of published) {
    const holder = own.find(({ publishedPorts }) => publishedPorts.has(port));
    if (holder?.name === containerName || (await canListen(port, address))) continue;
    const held = holder ? `held by ${holder.node} until this update has ended` : "in use";
    return `${setting}: ${address}:${port}, wanted for ${name}, is ${held}`;
  }
  return undefined;
}

function canListen(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen({ port, host: address, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
