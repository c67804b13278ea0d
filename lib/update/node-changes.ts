import { formatBytes, formatDuration } from "../base/quantities.ts";
import { ownValue } from "../base/records.ts";
import { ROUTE_PORT } from "../nodes/nats-conf.ts";
import type { ClusterPlan, NodePlan } from "../plan/plan.ts";
import {
  changeCost,
  defaultValue,
  type SettingValues,
  settingNames,
  settingOf,
} from "../settings/setting-values.ts";
import { PREVIEW_WORDS, type Setting } from "../settings/settings-table.ts";
import { formatSyncInterval } from "../streams/durability.ts";

/** An existing node before an update, as far as it can be observed. */
export interface RunningNode {
  /** The {@link NodePlan.restartSettings} in its container's label; absent if it has no such label. */
  readonly settings?: SettingValues;
  /** When its container was created. */
  readonly createdAt: Date;
  /** Whether its container runs. */
  readonly runs: boolean;
  /** Absent if the node doesn't run or answer. It is then unknown what a reload would change. */
  readonly server?: RunningServer;
}

/** What a server reports in `/varz`. */
export interface RunningServer {
  /** E.g. `2.15.2`. */
  readonly version: string;
  /** When it was last started. */
  readonly startedAt: Date;
  /** In lower case, in any order. */
  readonly tags: readonly string[];
  /** `host:port` of the nodes to which it has routes, in any order. */
  readonly routes: readonly string[];
  /** Its settings, as far as it reports them, see {@link reportedSettings}. E.g. without JetStream it reports no stores. */
  readonly settings: SettingValues;
  /** `host:port` that it tells clients of: its own, if there are routes, and those of other nodes. In any order. */
  readonly advertised: readonly string[];
  /** Absent before nats-server 2.11. */
  readonly configDigest?: string;
  /** When it loaded its config, RFC 3339. */
  readonly configLoadTime: string;
  /** Why it gets a new certificate; empty if it keeps its own, and without TLS. */
  readonly certificateReasons: readonly Reason[];
  /** The planned address of its machine, if its certificate doesn't have it. */
  readonly unknownAddress?: string;
  /** How many clients are connected, if it is to ask them for certificates, and doesn't so far. */
  readonly clients?: number;
}

/** What an update does to a node: create it, nothing, reload its config, or replace its container. */
export type ChangeKind = "create" | "none" | "reload" | "restart";

export interface NodeChange {
  /** Name of the node. */
  readonly node: string;
  readonly kind: ChangeKind;
  /** Empty for a new node, and if nothing changes. */
  readonly reasons: readonly Reason[];
  /**
   * When its server loaded a config that differs from the planned one; absent if it has the planned one, or doesn't
   * run.
   */
  readonly driftedAt?: string;
  /** The desired JSON of its container's label. If it differs from the current label, the container is replaced. */
  readonly label: string;
  /** Present if a reload enlarges a store. */
  readonly grows?: true;
  /** See {@link RunningServer.unknownAddress}. */
  readonly unknownAddress?: string;
  /** See {@link RunningServer.clients}. */
  readonly clients?: number;
  /**
   * Present if its container runs and stays, but may have been stopped at some time since it was created. Pulumi's state
   * may then have it as stopped.
   */
  readonly mayHaveStopped?: true;
}

/**
 * Key in a label, next to the settings: when the server loaded the larger stores that a restart is to shrink again. It
 * makes the label differ, as the settings may be exactly those with which the container was created.
 */
const SHRUNK_FROM = "shrunkFrom";

export interface Reason {
  /** E.g. `memory`, `tags`. */
  readonly setting: string;
  /** E.g. `512MiB → 256MiB`, `+ xr:321, - xr:123`. */
  readonly change: string;
}

/** Reads the settings that a `/varz` page reports, by their paths in the table of settings. */
export function reportedSettings(page: unknown): SettingValues {
  const reported = settingNames(({ node }) => node?.varz !== undefined).flatMap((name) => {
    const value = reportedValue(page, settingOf(name));
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(reported);
}

function reportedValue(page: unknown, setting: Setting | undefined): SettingValue | undefined {
  const path = setting?.node?.varz ?? [];
  const value = valueAt(page, path);
  if (typeof value === "number" && setting?.kind === "duration") return value / 1e6;
  if (["string", "number", "boolean"].includes(typeof value)) return value as SettingValue;
  // The page leaves out limits that are 0 (nats-server 2.15, `JSLimitOpts`).
  const isLeftOut = value === undefined && typeof valueAt(page, path.slice(0, -1)) === "object";
  return isLeftOut && setting !== undefined && defaultValue(setting) === 0 ? 0 : undefined;
}

function valueAt(page: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null
        ? ownValue(value as Readonly<Record<string, unknown>>, key)
        : undefined,
    page,
  );
}

/** Versions of servers whose digest is known to be that of `configDigest` in nats-conf.ts. */
const KNOWN_DIGESTS = /^2\.1[45]\./;

/**
 * Finds out what an update does to a node, and why.
 *
 * The hashes in accounts aren't stored anywhere for comparison. If all else is equal, but the digest of the server's
 * config differs from the planned one, either accounts have changed, or somebody has changed the config by hand.
 *
 * @param running undefined if the node doesn't exist.
 * @param plannedDigest `configDigest` of the planned config; undefined if a preview doesn't know the passwords yet.
 */
export function changeOf(
  running: RunningNode | undefined,
  planned: NodePlan,
  plannedDigest: string | undefined,
): NodeChange {
  const node = planned.name;
  const planText = JSON.stringify(planned.restartSettings);
  if (!running) return { node, kind: "create", reasons: [], label: planText };
  const { server } = running;
  const { restarts, growths, label } = settleSettings(running, planned);
  const reloads = server ? [...growths, ...reloadReasons(server, planned)] : [];
  const isOther = Boolean(server && plannedDigest && hasOtherConfig(server, plannedDigest));
  const hasDrifted = isOther || reloads.length > 0;
  const drifted = server && hasDrifted ? { driftedAt: server.configLoadTime } : {};
  const reasons = [...restarts, ...reloads];
  const unknown = server?.unknownAddress;
  const changed = {
    node,
    label,
    ...drifted,
    ...(unknown === undefined ? {} : { unknownAddress: unknown }),
    ...(server?.clients === undefined ? {} : { clients: server.clients }),
  };
  if (restarts.length > 0) return { ...changed, kind: "restart", reasons };
  const common = {
    ...changed,
    ...(mayHaveStopped(running) ? { mayHaveStopped: true as const } : {}),
  };
  const grows = server && growths.length > 0 ? { grows: true as const } : {};
  if (reasons.length > 0) return { ...common, kind: "reload", reasons, ...grows };
  return isOther
    ? { ...common, kind: "reload", reasons: [ONLY_DIGEST_DIFFERS] }
    : { ...common, kind: "none", reasons };
}

/**
 * Milliseconds from the creation of a container to the first start of its server. Where it takes longer, on a busy machine,
 * `pulumi refresh` doesn't show the node as changed once it is stopped.
 */
const FIRST_START_MS = 3_000;

/** A server that doesn't answer may have been started just now. */
function mayHaveStopped({ createdAt, runs, server }: RunningNode): boolean {
  if (!runs) return false;
  return !server || server.startedAt.getTime() - createdAt.getTime() > FIRST_START_MS;
}

/** The reason if only the digest differs. */
const ONLY_DIGEST_DIFFERS: Reason = {
  setting: "config",
  change: "users, passwords, rights, logs or other config, or changed by hand",
};

interface Settled {
  /** Why the container is replaced; empty if it isn't. */
  readonly restarts: readonly Reason[];
  /** Stores that grow by a reload; empty if there is a restart anyway. */
  readonly growths: readonly Reason[];
  readonly label: string;
}

/**
 * Compares a node's settings with the planned ones. A reload enlarges a store without changing the label, so a node's
 * settings are those of its label, except for the sizes that its server reports. If the server doesn't answer, its
 * stores may be larger than the label says.
 */
function settleSettings({ settings: noted, server }: RunningNode, planned: NodePlan): Settled {
  const after = planned.restartSettings;
  const planText = JSON.stringify(after);
  if (!noted) {
    const reason = { setting: "container", change: "made by an earlier nats-regions" };
    return { restarts: [reason], growths: [], label: planText };
  }
  const { [SHRUNK_FROM]: _, ...made } = noted;
  const reported = Object.entries(server?.settings ?? {}).filter(([name]) => isGrowing(name));
  const before: SettingValues = {
    ...made,
    ...Object.fromEntries(reported),
    ...advertisedBefore(made, server, planned),
  };
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((setting) => before[setting] !== after[setting]);
  const reasons = changed.map((setting) => {
    const show = (values: SettingValues) => showValue(setting, values[setting], planned);
    return { setting, change: `${show(before)} → ${show(after)}` };
  });
  const noteText = JSON.stringify(noted);
  if (changed.every((setting) => isGrowing(setting) && isGrowth(before[setting], after[setting])))
    return { restarts: [], growths: reasons, label: noteText };
  const isAsNoted = planText === noteText && server !== undefined;
  const label = isAsNoted
    ? JSON.stringify({ ...after, [SHRUNK_FROM]: server.configLoadTime })
    : planText;
  return { restarts: reasons, growths: [], label };
}

/**
 * What a node tells clients of. Labels of an earlier version don't say so, if it is the address of its machine, and a node
 * isn't restarted for the label alone: the server says whether it tells of what is planned.
 */
function advertisedBefore(
  { advertise: noted }: SettingValues,
  server: RunningServer | undefined,
  { conf, restartSettings: { advertise } }: NodePlan,
): SettingValues {
  if (noted !== undefined || advertise === undefined || !server) return {};
  const { clientAdvertise } = conf;
  const isTold = clientAdvertise !== undefined && server.advertised.includes(clientAdvertise);
  return isTold ? { advertise } : {};
}

/** Whether a reload applies larger values of a setting, but refuses smaller ones. */
function isGrowing(setting: string): boolean {
  return changeCost(setting) === "growth";
}

type SettingValue = SettingValues[string];

function isGrowth(before: SettingValue | undefined, after: SettingValue | undefined) {
  return typeof before === "number" && typeof after === "number" && before < after;
}

/**
 * A value as in the settings. A port is that of the first node, so that all nodes have the same text for its change.
 */
function showValue(
  name: string,
  given: SettingValue | undefined,
  { portOffset }: Pick<NodePlan, "portOffset">,
): string {
  const setting = settingOf(name);
  const value = given ?? (setting?.node?.omitDefault && defaultValue(setting));
  if (value === undefined && setting?.kind === "advertise") return setting.default;
  if (value === undefined || value === "") return "none";
  if (setting?.kind === "sync interval") return formatSyncInterval(`${value}`);
  if (typeof value !== "number") return `${value}`;
  switch (setting?.kind) {
    case "size":
      return formatBytes(value);
    case "duration":
      return formatDuration(value * 1e6);
    case "port":
      return `${value - portOffset}`;
    default:
      return `${value}`;
  }
}

function reloadReasons(server: RunningServer, { conf, portOffset }: NodePlan): Reason[] {
  const tags = conf.serverTags.map((tag) => tag.toLowerCase());
  return [
    { setting: "tags", change: describeDifference(server.tags, tags) },
    {
      setting: "routes",
      change: describeDifference(server.routes.map(toNode), conf.routes.map(toNode)),
    },
    ...RELOADED.map((setting) => ({
      setting,
      change: describeReload(setting, server, { conf, portOffset }),
    })),
    ...server.certificateReasons,
  ].filter(({ change }) => change !== "");
}

/** Within one engine's network, a route is known by the node's name. */
function toNode(route: string): string {
  return route.replace(new RegExp(`:${ROUTE_PORT}$`), "");
}

/** The settings that a reload changes, and that servers report. */
const RELOADED = settingNames(
  ({ change, node }) => change === "reload" && node?.varz !== undefined,
);

function describeReload(
  name: string,
  server: RunningServer,
  { conf, portOffset }: Pick<NodePlan, "conf" | "portOffset">,
): string {
  const planned = new Map<string, SettingValue>(Object.entries(conf));
  const show = (value: SettingValue | undefined) => showValue(name, value, { portOffset });
  const before = server.settings[name];
  const [was, becomes] = [show(before), show(planned.get(name))];
  return before === undefined || was === becomes ? "" : `${was} → ${becomes}`;
}

function hasOtherConfig({ version, configDigest }: RunningServer, planned: string): boolean {
  return KNOWN_DIGESTS.test(version) && configDigest !== undefined && configDigest !== planned;
}

const ITEMS_SHOWN = 4;

/** The added and removed items: `+ xr:321, - xr:123`. Empty if both have the same. */
export function describeDifference(before: readonly string[], after: readonly string[]): string {
  const without = (items: readonly string[], others: readonly string[]) => {
    const known = new Set(others);
    return items.filter((item) => !known.has(item));
  };
  return [
    ...abbreviate("+", without(after, before)),
    ...abbreviate("-", without(before, after)),
  ].join(", ");
}

function abbreviate(sign: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, ITEMS_SHOWN).join(", ");
  const more = items.length - ITEMS_SHOWN;
  return [`${sign} ${shown}${more > 0 ? ` and ${more} more` : ""}`];
}

/**
 * Describes changes of nodes: one line for each set of nodes with the same reasons, listed in the order of their
 * changes. Unchanged nodes are left out. Empty for a new cluster.
 *
 * @param waves the planned waves.
 * @param steps the steps in which nodes are restarted. Default: the waves.
 */
export function describeChanges(
  changes: readonly NodeChange[],
  waves: ClusterPlan["waves"],
  steps: ClusterPlan["waves"] = waves,
): string[] {
  if (changes.every(({ kind }) => kind === "create")) return [];
  const ofKind = (kind: ChangeKind) => changes.filter((change) => change.kind === kind);
  const created = ofKind("create").map(({ node }) => node);
  return [
    ...groupReasons(ofKind("restart")).map(({ nodes, reasons }) => {
      const orderBy = (parts: ClusterPlan["waves"]) =>
        parts.map((part) => namesIn(part, nodes)).filter((names) => names.length > 0);
      const order = orderBy(steps);
      const isAsPlanned = JSON.stringify(order) === JSON.stringify(orderBy(waves));
      const how = isAsPlanned ? howToGo(order) : ", in this order";
      return `${PREVIEW_WORDS.restart}${how}: ${order.map((names) => names.join(", ")).join("; then ")}: ${reasons}`;
    }),
    ...groupReasons(ofKind("reload")).map(
      ({ nodes, reasons }) =>
        `${PREVIEW_WORDS.reload}: ${namesIn(waves.flat(), nodes).join(", ")}: ${reasons}`,
    ),
    ...(created.length === 0 ? [] : [`new: ${namesIn(waves.flat(), created).join(", ")}`]),
  ];
}

function howToGo(order: readonly (readonly string[])[]): string {
  if (order.length < 2) return "";
  return order.some((names) => names.length > 1) ? ", zone by zone" : ", one by one";
}

function namesIn(wave: readonly NodePlan[], nodes: readonly string[]): string[] {
  return wave.map(({ name }) => name).filter((name) => nodes.includes(name));
}

interface SharedReasons {
  readonly nodes: readonly string[];
  /** E.g. `memory 512MiB → 256MiB; syncInterval always → 1s`. */
  readonly reasons: string;
}

/**
 * Groups nodes by shared reasons, largest groups first. A node is in several groups if others share only some of its
 * reasons.
 */
function groupReasons(changes: readonly NodeChange[]): SharedReasons[] {
  const all = changes.flatMap(({ node, reasons }) =>
    reasons.map(({ setting, change }) => ({ node, reason: `${setting} ${change}` })),
  );
  const byReason = [...Map.groupBy(all, ({ reason }) => reason)].map(([reason, shared]) => ({
    reason,
    nodes: shared.map(({ node }) => node),
  }));
  return [...Map.groupBy(byReason, ({ nodes }) => nodes.join(" ")).values()]
    .map((group) => ({
      nodes: group[0]?.nodes ?? [],
      reasons: group.map(({ reason }) => reason).join("; "),
    }))
    .sort((a, b) => b.nodes.length - a.nodes.length);
}
