/** The gate after a wave of nodes: it decides whether to continue, to wait, or to fail. */
import { groupsOf, whyNotWell } from "../observed/majorities.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import {
  findNonMembers,
  mayNeverHaveHadLeader,
  type NodeReport,
  needsLaterNodes,
  REJOIN_MS,
  whyNotReady,
} from "../observed/readiness.ts";
import { describeWaitStatus, StallTimer, type WaitStatus } from "../observed/waiting.ts";

/** What the gate concludes from an observation of the cluster. */
export interface WaveStatus extends Partial<WaitStatus> {
  /** What the cluster lacks; absent if it is ready. */
  readonly reason?: string;
  /** Whether waiting is useless until later nodes are started. */
  readonly isInVain: boolean;
  /** Whether there is no meta leader, and there may never have been one. */
  readonly isLeaderless: boolean;
  /** Whether nodes that were removed from the meta group have to join again. */
  readonly isRejoining: boolean;
}

/** An observation of the nodes at the gate. */
export interface WaveObservation {
  /** Reports of the nodes in the waves before the gate. */
  readonly reports: readonly NodeReport[];
  /** Reports of nodes that needn't run yet: those of later waves, and leaving ones. */
  readonly later: readonly NodeReport[];
  /** Names of the nodes whose container runs. */
  readonly running: ReadonlySet<string>;
  /** Keys of what the cluster lacked before the update, see `lacksOf`. They are ignored. */
  readonly lacked: ReadonlySet<string>;
}

/** Judges the readiness of the nodes and the meta group. */
export function judgeMembers({ reports, later, running, lacked }: WaveObservation): WaveStatus {
  const reason = whyNotReady(reports, later, (report) => isFormerHealthError(report, lacked));
  const isRejoining = findNonMembers(reports, later).length > 0;
  if (reason === undefined) return { isInVain: false, isLeaderless: false, isRejoining };
  // A node whose ports are about to change can't answer, but runs.
  const present = later.map((report) =>
    running.has(report.name) ? { metaLeader: "", ...report } : report,
  );
  return {
    reason,
    isInVain: needsLaterNodes(reports, present),
    isLeaderless: mayNeverHaveHadLeader(reports, present),
    isRejoining,
  };
}

/**
 * Says why streams and consumers aren't well; undefined if they are.
 *
 * @param observed the cluster, as its running nodes report it.
 * @param isWhole whether all nodes run.
 * @param known keys of lacks to ignore. Default: none.
 */
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

/** Whether a node's `/healthz` error is about a replica that wasn't well before the update (nats-server 2.15). */
function isFormerHealthError(
  { name, health = "" }: NodeReport,
  lacked: ReadonlySet<string>,
): boolean {
  return [...lacked].some((key) => {
    const [, account, stream, host] = KEY.exec(key) ?? [];
    const title = `'${account} > ${stream}`;
    return host === name && [`${title}'`, `${title} > `].some((each) => health.includes(each));
  });
}

/** Parses keys of `lacksOf`. */
const KEY = /^(.*) > (?:consumer .* of )?stream (\S+): (\S+)$/;

export type GateVerdict =
  | { readonly kind: "open"; readonly word?: string }
  | { readonly kind: "wait"; readonly milliseconds: number }
  | { readonly kind: "shut"; readonly word: string };

/** Milliseconds between the two observations that must both find the cluster ready, so that flapping doesn't pass. */
const STEADY_MS = 2_000;
const POLL_MS = 250;
/** Milliseconds without a meta leader after which a group with missing nodes is assumed never to have had one. */
const LEADERLESS_MS = 30_000;
/** Patience for nodes that left and come back: the time until they join again, and a minute more. */
const REJOIN_PATIENCE_MS = REJOIN_MS + 60_000;

/** Judges each observation. All times are milliseconds of the same clock. */
export class WaveGate {
  readonly #patience: number;
  readonly #timer: StallTimer;
  readonly #isOneEnough: boolean;
  #wasWell = false;
  #ledAt: number;

  /** @param isOneEnough whether a single observation of a ready cluster suffices, after others, too. */
  constructor(now: number, patience: number, isOneEnough: boolean) {
    this.#patience = patience;
    this.#timer = new StallTimer(now);
    this.#isOneEnough = isOneEnough;
    this.#ledAt = now;
  }

  judge({ reason, behind, ...state }: WaveStatus, now: number): GateVerdict {
    if (!state.isLeaderless) this.#ledAt = now;
    const neverHadLeader = now - this.#ledAt > LEADERLESS_MS;
    if (reason !== undefined && (state.isInVain || neverHadLeader)) {
      return { kind: "open", word: `${reason}; going on, as the nodes that are missing come next` };
    }
    if (reason === undefined && (this.#isOneEnough || this.#wasWell)) return { kind: "open" };
    const status = { reason: reason ?? "it doesn't stay well", ...(behind ? { behind } : {}) };
    this.#timer.note(status, now);
    const patience = state.isRejoining
      ? Math.max(this.#patience, REJOIN_PATIENCE_MS)
      : this.#patience;
    if (this.#timer.stalledFor(now) > patience) {
      const word = `The cluster isn't ready, and nothing has moved for ${patience / 1_000} s: ${describeWaitStatus(status)}`;
      return { kind: "shut", word };
    }
    this.#wasWell = reason === undefined;
    return { kind: "wait", milliseconds: reason === undefined ? STEADY_MS : POLL_MS };
  }
}
