/** The gate before the first wave: it decides whether restarts of nodes may begin. */
import type { SettingsPlace } from "../base/settings-place.ts";
import {
  describeRemedy,
  describeUnhealthy,
  groupsOf,
  lacksOf,
  whyNotWell,
} from "../observed/majorities.ts";
import { peerId } from "../observed/meta-group.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import { type NodeReport, whyNotReady } from "../observed/readiness.ts";
import { orderRestarts } from "./rollout-order.ts";

/** An observation of the cluster at the gate, with the plan. */
export interface StartObservation {
  /** For each wave, the planned restart settings (JSON of the label) by node. */
  readonly waves: readonly Readonly<Record<string, string>>[];
  /** The stack's existing containers. */
  readonly own: readonly {
    readonly name: string;
    readonly isUp: boolean;
    /** JSON of its label: the settings with which it was created. */
    readonly restartSettings: string;
  }[];
  readonly reports: readonly NodeReport[];
  readonly observed: ObservedCluster;
  /** Where the settings come from. @default "config" */
  readonly place?: SettingsPlace | undefined;
}

export type StartVerdict =
  /** The cluster is ready, or the update restarts what isn't well first. */
  | { readonly kind: "go" }
  /** Something isn't well, but may recover. If it doesn't, the first restarts still take no majority. */
  | { readonly kind: "rather wait"; readonly reason: string }
  /** Restarting any of the changed nodes would take a majority. */
  | { readonly kind: "blocked"; readonly reason: string; readonly remedy?: string };

/** Judges an observation. */
export function judgeStart({
  waves,
  own,
  reports,
  observed,
  place,
}: StartObservation): StartVerdict {
  const settings = Object.assign({}, ...waves) as Readonly<Record<string, string>>;
  const before = new Map(own.map((node) => [node.name, node]));
  const missing = Object.keys(settings).filter(
    (name) => !before.has(name) && isMember(name, observed),
  );
  const changed = new Set([
    ...missing,
    ...own
      .filter(
        ({ name, restartSettings }) => (settings[name] ?? restartSettings) !== restartSettings,
      )
      .map(({ name }) => name),
  ]);
  if (changed.size === 0) return { kind: "go" };
  const looked = [
    ...reports.map((report) => ({ ...report, isUp: before.get(report.name)?.isUp ?? true })),
    ...missing.map((name) => ({ name, isUp: false })),
  ];
  const reason = whyNotReady(looked) ?? whyNotWell(groupsOf(observed), { isAwaited: () => true });
  if (reason === undefined) return { kind: "go" };
  const nodes = waves.map((wave) => Object.keys(wave).map((name) => ({ name })));
  const seen = { ...observed, silent: [...observed.silent, ...missing] };
  const { early, late } = orderRestarts(nodes, changed, seen);
  const unwell = [
    ...reports.filter(({ health }) => health !== "").map(({ name }) => name),
    ...lacksOf(groupsOf(seen)).flatMap(({ host }) => host ?? []),
  ];
  const isRepair = late.length === 0 && unwell.every((name) => changed.has(name));
  const isDown = (name: string) => looked.some((each) => each.name === name && !each.isUp);
  if (early.length > 0 || isRepair || [...changed].every(isDown)) return { kind: "go" };
  const [first] = late;
  if (first === undefined || late.length < changed.size) return { kind: "rather wait", reason };
  return {
    kind: "blocked",
    reason: `${reason}; ${describeUnhealthy(first.blockedBy)}`,
    remedy: describeRemedy(first.blockedBy, place),
  };
}

function isMember(name: string, { meta }: ObservedCluster): boolean {
  return meta !== undefined && (meta.hosts.includes(name) || meta.hosts.includes(peerId(name)));
}
