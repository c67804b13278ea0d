import { formatBytes, formatDuration } from "../base/quantities.ts";
import { ownValue } from "../base/records.ts";
import type { ClusterPlan, NodePlan } from "../plan/plan.ts";
import {
  changeCost,
  defaultValue,
  type SettingValues,
  settingNames,
  settingOf,
} from "../settings/setting-values.ts";
import { PREVIEW_WORDS } from "../settings/settings-table.ts";
import { formatSyncInterval } from "../streams/durability.ts";

/** A node as it is before an update, as far as that can be told. */
export interface RunningNode {
  /** The {@link NodePlan.restartSettings} that it was made with; undefined where they weren't noted down. */
  readonly settings?: SettingValues;
  /** Undefined where the node doesn't run or answer: then there is no telling what a reload would change. */
  readonly server?: RunningServer;
}

/** What a server says of itself in `/varz`. */
export interface RunningServer {
  /** E.g. `2.15.2`. */
  readonly version: string;
  /** Lower case, in any order. */
  readonly tags: readonly string[];
  /** Names of the nodes that it has routes to, in any order. */
  readonly routes: readonly string[];
  /** What it tells of its settings, see {@link toldSettings}: none of its stores e.g. without JetStream. */
  readonly settings: SettingValues;
  /** Undefined before nats-server 2.11. */
  readonly configDigest?: string;
  /** When it took up its config, RFC 3339. */
  readonly configLoadTime: string;
  /** Why it gets another certificate than it shows; none without TLS. */
  readonly certificateReasons: readonly Reason[];
}

/** What an update makes of a node: it is new, stays as it is, takes up its config, or is made anew. */
export type ChangeKind = "create" | "none" | "reload" | "restart";

export interface NodeChange {
  /** Name of the node. */
  readonly node: string;
  readonly kind: ChangeKind;
  /** Empty where nothing changes, and of a new node. */
  readonly reasons: readonly Reason[];
  /** When its server took up a config that isn't the planned one; undefined where it runs with that, or doesn't run. */
  readonly strayedAt?: string;
  /** JSON that the label of its container is to have: another than it has, where it is to be made anew. */
  readonly label: string;
  /** There where a reload gives it more room for streams. */
  readonly grows?: true;
}

/**
 * Key in a label beside the settings: when the server took up the larger stores that the container was made anew to
 * take back. The settings may be to the letter those that it was made with before.
 */
const SHRUNK_FROM = "shrunkFrom";

export interface Reason {
  /** E.g. `memory`, `tags`. */
  readonly setting: string;
  /** E.g. `512MiB → 256MiB`, `+ xr:321, - xr:123`. */
  readonly change: string;
}

/** Picks out of a `/varz` page what it tells of settings, as the table of them says where. */
export function toldSettings(page: unknown): SettingValues {
  const told = settingNames(({ node }) => node?.varz !== undefined).flatMap((name) => {
    const value = valueAt(page, settingOf(name)?.node?.varz ?? []);
    const isOne = ["string", "number", "boolean"].includes(typeof value);
    return isOne ? [[name, value as string | number | boolean] as const] : [];
  });
  return Object.fromEntries(told);
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

/** The servers whose digests of a config are known to be those of `configDigest` in nats-conf.ts. */
const KNOWN_DIGESTS = /^2\.1[45]\./;

/**
 * Works out what an update makes of a node, and why.
 *
 * Accounts hold hashes, of which nothing is kept. That they changed, or that somebody changed the node's
 * config by hand, shows where nothing else did, and yet the server's digest of its config is another than
 * that of the planned one.
 *
 * @param running undefined where there is no such node.
 * @param plannedDigest `configDigest` of the planned config; undefined where a preview can't know its passwords yet.
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
  const hasStrayed = isOther || reloads.length > 0;
  const strayed = server && hasStrayed ? { strayedAt: server.configLoadTime } : {};
  const reasons = [...restarts, ...reloads];
  const common = { node, label, ...strayed };
  if (restarts.length > 0) return { ...common, kind: "restart", reasons };
  const grows = server && growths.length > 0 ? { grows: true as const } : {};
  if (reasons.length > 0) return { ...common, kind: "reload", reasons, ...grows };
  return isOther
    ? { ...common, kind: "reload", reasons: [UNSEEN] }
    : { ...common, kind: "none", reasons };
}

/** What a digest alone tells. */
const UNSEEN: Reason = {
  setting: "config",
  change: "users, passwords or rights, or changed by hand",
};

interface Settled {
  /** Why the node is made anew; empty where it isn't. */
  readonly restarts: readonly Reason[];
  /** What its stores grow by; empty where that comes with a restart. */
  readonly growths: readonly Reason[];
  readonly label: string;
}

/**
 * A store that grows is taken up by a reload, which leaves the label as it is: what a node has is its label's, but for
 * the sizes that its server shows. Where it doesn't answer, a larger store than the label's may be there already.
 */
function settleSettings({ settings: noted, server }: RunningNode, planned: NodePlan): Settled {
  const after = planned.restartSettings;
  const planText = JSON.stringify(after);
  if (!noted) {
    const reason = { setting: "container", change: "made by an earlier nats-regions" };
    return { restarts: [reason], growths: [], label: planText };
  }
  const { [SHRUNK_FROM]: _, ...made } = noted;
  const told = Object.entries(server?.settings ?? {}).filter(([name]) => isGrowing(name));
  const before: SettingValues = { ...made, ...Object.fromEntries(told) };
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

/** Whether a reload takes a setting up where it grows, and refuses it where it shrinks. */
function isGrowing(setting: string): boolean {
  return changeCost(setting) === "growth";
}

type SettingValue = SettingValues[string];

function isGrowth(before: SettingValue | undefined, after: SettingValue | undefined) {
  return typeof before === "number" && typeof after === "number" && before < after;
}

/** Values as they are set: a port is that of the first node, so that a change of it is the same for all. */
function showValue(
  name: string,
  given: SettingValue | undefined,
  { portOffset }: Pick<NodePlan, "portOffset">,
): string {
  const setting = settingOf(name);
  const value = given ?? (setting?.node?.omitDefault && defaultValue(setting));
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

/** The advertised address needs no words of its own: it changes with `bindAddress` or `clientPort`. */
function reloadReasons(server: RunningServer, { conf, portOffset }: NodePlan): Reason[] {
  const tags = conf.serverTags.map((tag) => tag.toLowerCase());
  return [
    { setting: "tags", change: describeDifference(server.tags, tags) },
    { setting: "routes", change: describeDifference(server.routes, conf.routes) },
    ...RELOADED.map((setting) => ({
      setting,
      change: describeReload(setting, server, { conf, portOffset }),
    })),
    ...server.certificateReasons,
  ].filter(({ change }) => change !== "");
}

/** The settings of which a server tells what a reload changes. */
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

/** `+ xr:321, - xr:123`; empty where both hold the same. */
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
 * Puts changes into lines: one for each reason that some nodes share, which names them in the order in
 * which they are changed. Nothing for nodes that stay, nor for a cluster that is all new.
 *
 * @param waves as they are planned.
 * @param steps in which nodes are restarted, where that differs.
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

/** Nodes by the reasons that they share, most nodes first. A node is in several groups if others share but some of its. */
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
