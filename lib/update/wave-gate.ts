/** The gate behind a wave of nodes: when it opens, when it goes on waiting, and when it gives up. */
import { groupsOf, whyNotWell } from "../observed/majorities.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import {
  findStrangers,
  mayNeverHaveBegun,
  type NodeReport,
  needsLaterNodes,
  REJOIN_MS,
  whyNotReady,
} from "../observed/readiness.ts";
import { describeSight, type Sight, Stillness } from "../observed/waiting.ts";

/** What a look at a cluster tells at a gate. */
export interface WaveSight extends Partial<Sight> {
  /** What the cluster lacks; not there if nothing. */
  readonly reason?: string;
  /** Whether nothing gets better before later nodes are started. */
  readonly isInVain: boolean;
  /** Whether there is no meta leader, and may never have been one. */
  readonly isLeaderless: boolean;
  /** Whether nodes that were taken out of the meta group have to be taken back. */
  readonly isRejoining: boolean;
}

export interface WaveLook {
  /** Of the wave before the gate and those before it. */
  readonly reports: readonly NodeReport[];
  /** Of later waves, whose nodes need not run yet, and of nodes that leave. */
  readonly later: readonly NodeReport[];
  /** Names of nodes whose container runs. */
  readonly running: ReadonlySet<string>;
  /** Keys of what the cluster lacked before, see `lacksOf`, of which nothing is expected. */
  readonly lacked: ReadonlySet<string>;
}

/** Judges nodes and the meta group. */
export function judgeMembers({ reports, later, running, lacked }: WaveLook): WaveSight {
  const reason = whyNotReady(reports, later, (report) => isOldComplaint(report, lacked));
  const isRejoining = findStrangers(reports, later).length > 0;
  if (reason === undefined) return { isInVain: false, isLeaderless: false, isRejoining };
  // A node whose ports are about to change is asked in vain, but runs.
  const present = later.map((report) =>
    running.has(report.name) ? { metaLeader: "", ...report } : report,
  );
  return {
    reason,
    isInVain: needsLaterNodes(reports, present),
    isLeaderless: mayNeverHaveBegun(reports, present),
    isRejoining,
  };
}

/** Judges streams and consumers. @param observed the nodes that run. @param isWhole whether these are all. */
export function judgeReplicas(
  observed: ObservedCluster,
  isWhole: boolean,
  known: ReadonlySet<string> = new Set(),
): string | undefined {
  if (observed.silent.length > 0) return `no answer from ${observed.silent.join(", ")}`;
  const names = new Set(observed.servers.map(({ name }) => name));
  return whyNotWell(groupsOf(observed), {
    isAwaited: (host) => isWhole || names.has(host),
    known,
  });
}

/** Replicas that weren't well before the update make their node complain (nats-server 2.15, `/healthz`). */
function isOldComplaint({ name, health = "" }: NodeReport, lacked: ReadonlySet<string>): boolean {
  return [...lacked].some((key) => {
    const [, account, stream, host] = KEY.exec(key) ?? [];
    const title = `'${account} > ${stream}`;
    return host === name && [`${title}'`, `${title} > `].some((each) => health.includes(each));
  });
}

/** As `lacksOf` writes it. */
const KEY = /^(.*) > (?:consumer .* of )?stream (\S+): (\S+)$/;

export type GateVerdict =
  | { readonly kind: "open"; readonly word?: string }
  | { readonly kind: "wait"; readonly milliseconds: number }
  | { readonly kind: "shut"; readonly word: string };

/** Between the two looks at a cluster that is well: what flaps doesn't pass. */
const STEADY_MS = 2_000;
const POLL_MS = 250;
/** After so long without a meta leader, a group of which not all nodes run has never had one. */
const LEADERLESS_MS = 30_000;
/** For nodes that have left and come back: until the others take them in again, and some more. */
const REJOIN_PATIENCE_MS = REJOIN_MS + 60_000;

/** Decides at each look. All times are milliseconds on one clock. */
export class WaveGate {
  readonly #patience: number;
  readonly #stillness: Stillness;
  #wasWell: boolean;
  #ledAt: number;

  /** @param isSteady whether one look at a cluster that is well is enough. */
  constructor(now: number, patience: number, isSteady: boolean) {
    this.#patience = patience;
    this.#stillness = new Stillness(now);
    this.#wasWell = isSteady;
    this.#ledAt = now;
  }

  judge({ reason, behind, ...sight }: WaveSight, now: number): GateVerdict {
    if (!sight.isLeaderless) this.#ledAt = now;
    const hasNeverBegun = now - this.#ledAt > LEADERLESS_MS;
    if (reason !== undefined && (sight.isInVain || hasNeverBegun)) {
      return { kind: "open", word: `${reason}; going on, as the nodes that are missing come next` };
    }
    if (reason === undefined && this.#wasWell) return { kind: "open" };
    const told = { reason: reason ?? "it doesn't stay well", ...(behind ? { behind } : {}) };
    this.#stillness.note(told, now);
    const patience = sight.isRejoining
      ? Math.max(this.#patience, REJOIN_PATIENCE_MS)
      : this.#patience;
    if (this.#stillness.lasts(now) > patience) {
      const word = `The cluster isn't ready, and nothing has moved for ${patience / 1_000} s: ${describeSight(told)}`;
      return { kind: "shut", word };
    }
    this.#wasWell = reason === undefined;
    return { kind: "wait", milliseconds: reason === undefined ? STEADY_MS : POLL_MS };
  }
}
