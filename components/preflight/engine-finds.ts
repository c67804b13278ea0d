import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { CLUSTER_LABEL, NODE_LABEL, RESTART_SETTINGS_LABEL } from "../../lib/nodes/labels.ts";
import { CLIENT_PORT, CONFIG_DIR, TLS_FILES } from "../../lib/nodes/nats-conf.ts";
import { pagesUrl, publishedAddress, publishedPorts } from "../../lib/nodes/published-ports.ts";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { type SettingValues, settingOf } from "../../lib/settings/setting-values.ts";
import type { RunningTls } from "../../lib/tls/own-certificates.ts";
import { readContainerFile } from "../../live/engine/container-file.ts";
import {
  DockerError,
  type Engine,
  type Fields,
  labelField,
  noAnswer,
  textField,
  timeField,
} from "../../live/engine/engine.ts";
import type { Ownership } from "../ownership.ts";

export interface Found {
  readonly name: string;
  readonly owner: string;
}

export interface FoundVolume extends Found {
  readonly engine: Engine;
  /** Empty if the volume was created by a version without this label. */
  readonly cluster: string;
}

export interface FoundNetwork extends Found {
  readonly engine: Engine;
  /** Whether its containers have IPv6. */
  readonly hasIpv6: boolean;
}

export interface FoundContainer extends Found {
  readonly engine: Engine;
  readonly id: string;
  readonly running: boolean;
  /** Name of the node; empty for a helper container. */
  readonly node: string;
  readonly cluster: string;
  /** JSON; empty if the container was created by a version without this label. */
  readonly settings: string;
  readonly createdAt: Date;
  /** Ports on the engine's host. */
  readonly publishedPorts: ReadonlySet<number>;
  readonly monitoringUrl: string | undefined;
  readonly clientAddress: string | undefined;
}

const settingValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export interface EngineNode {
  /**
   * The settings that only a restart changes, as the container was created with; undefined if it has no label with
   * them.
   */
  readonly settings?: SettingValues;
  readonly createdAt: Date;
  /** Undefined if it doesn't run. */
  readonly monitoringUrl?: string;
  /** Where clients reach it, e.g. `127.0.0.1:4222`; undefined if it doesn't run. */
  readonly clientAddress?: string;
}

export async function listContainers(
  engine: Engine,
  plan: ClusterPlan,
  { label }: Ownership,
): Promise<FoundContainer[]> {
  const fields = {
    id: textField(".ID"),
    name: textField(".Names"),
    owner: labelField(label.label),
    node: labelField(NODE_LABEL),
    cluster: labelField(CLUSTER_LABEL),
    settings: labelField(RESTART_SETTINGS_LABEL),
    state: textField(".State"),
    createdAt: timeField(".CreatedAt"),
    ports: textField(".Ports"),
  };
  const rows = await listNamed(engine, fields, plan, "ps", "--all");
  return rows.map(({ state, ports, ...row }) => ({
    ...row,
    engine,
    running: state === "running",
    publishedPorts: new Set([
      ...publishedPorts(ports),
      ...(state === "restarting" ? portsIn(row.settings) : []),
    ]),
    monitoringUrl: pagesUrl(ports, row.settings, engine.address),
    clientAddress: publishedAddress(ports, CLIENT_PORT, engine.address),
  }));
}

/** Between two starts of a restarting container the engine lists no ports for it, though it will take them again. */
function portsIn(settings: string): number[] {
  if (settings === "") return [];
  const values = Object.entries(settingValues.parse(JSON.parse(settings)));
  return values
    .filter(([name]) => settingOf(name)?.kind === "port")
    .map(([, port]) => Number(port));
}

export async function listVolumes(
  engine: Engine,
  plan: ClusterPlan,
  { label }: Ownership,
): Promise<FoundVolume[]> {
  const fields = {
    name: textField(".Name"),
    owner: labelField(label.label),
    cluster: labelField(CLUSTER_LABEL),
  };
  const rows = await listNamed(engine, fields, plan, "volume", "ls");
  return rows.map((row) => ({ ...row, engine }));
}

export async function listNetworks(
  engine: Engine,
  plan: ClusterPlan,
  { label }: Ownership,
): Promise<FoundNetwork[]> {
  const fields = {
    name: textField(".Name"),
    owner: labelField(label.label),
    ipv6: textField(".IPv6"),
  };
  const rows = await listNamed(engine, fields, plan, "network", "ls");
  return rows.map(({ ipv6, ...row }) => ({ ...row, engine, hasIpv6: ipv6 === "true" }));
}

/** Lists objects whose name contains the stack's prefix. That includes objects of other stacks. */
async function listNamed<Row>(
  engine: Engine,
  fields: Fields<Row>,
  { prefix, identity }: ClusterPlan,
  ...command: readonly string[]
): Promise<Row[]> {
  try {
    return await engine.list(fields, ...command, `--filter=name=${prefix}`);
  } catch (error) {
    throw toRunError(error, engine, identity);
  }
}

/** Reads the CA and certificate of any node with TLS: all nodes trust each other, so any will do. */
export async function readTls(
  own: readonly FoundContainer[],
  plan: ClusterPlan,
): Promise<{ readonly tls?: RunningTls }> {
  const secured = own.filter((container) => tlsOf(container) !== "none");
  const found = secured.find(({ running }) => running) ?? secured[0];
  if (found === undefined) return {};
  const { engine, name } = found;
  const read = (file: string) => readFile(engine, name, `${CONFIG_DIR}/${file}`, plan);
  const [ca, certificate] = await Promise.all([read(TLS_FILES.ca), read(TLS_FILES.certificate)]);
  return ca === undefined || certificate === undefined ? {} : { tls: { ca, certificate } };
}

/** The text of a file in a container; undefined if there is no such file. */
async function readFile(
  engine: Engine,
  container: string,
  file: string,
  { identity }: ClusterPlan,
): Promise<string | undefined> {
  try {
    const content = await readContainerFile(engine, container, file);
    return content && new TextDecoder().decode(content);
  } catch (error) {
    throw toRunError(error, engine, identity);
  }
}

export function toRunError(
  error: unknown,
  engine: Engine,
  identity: ClusterPlan["identity"],
): unknown {
  if (!(error instanceof DockerError)) return error;
  return new pulumi.RunError(noAnswer(error, engine, settingsPlaceOf(identity)));
}

/** The setting `tls` that a container was created with; `none` if its label doesn't have it. */
export function tlsOf(container: FoundContainer): string {
  return `${engineNode(container).settings?.tls ?? "none"}`;
}

export function engineNode(found: FoundContainer): EngineNode {
  const { settings, createdAt, monitoringUrl, clientAddress } = found;
  return {
    createdAt,
    ...(settings === "" ? {} : { settings: settingValues.parse(JSON.parse(settings)) }),
    ...(monitoringUrl === undefined ? {} : { monitoringUrl }),
    ...(clientAddress === undefined ? {} : { clientAddress }),
  };
}

export function partition<Item>(
  items: readonly Item[],
  isFirst: (item: Item) => boolean,
): [Item[], Item[]] {
  const groups = Map.groupBy(items, isFirst);
  return [groups.get(true) ?? [], groups.get(false) ?? []];
}
