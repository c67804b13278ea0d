import { isDeepStrictEqual } from "node:util";
import type { CheckResult, DiffResult } from "@pulumi/pulumi/dynamic/index.js";
import { describeContents } from "../../lib/streams/stream-loss.ts";
import type { KeyedStream } from "../../lib/streams/stream-name.ts";
import {
  accountsOf,
  identify,
  type LeavingEntry,
  leavingOrigins,
  leavingStreams,
  type Roster,
  renamingsOf,
} from "../../lib/update/remembered-streams.ts";
import { isSilence, type JetStreamPort, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import { configure, openConfigured } from "../process/configured.ts";
import { hasUnknown, toFailures } from "../process/unknown.ts";
import {
  HANDOVERS,
  type Handovers,
  type MirrorsOfStreams,
  type SubjectsOfStreams,
} from "./handovers.ts";

/** Used by the dynamic provider's process; components/parts/stream-roster.ts refers to this name. */
export const rosterProvider = { configure, ...rosterLifecycle(openConfigured) };

/** The program's inputs: the roster to remember, and the subjects and mirrors of the streams in the settings. */
export interface RosterInputs extends Roster {
  readonly subjects?: SubjectsOfStreams;
  /** The origin's name in the same account, by the mirror's key. */
  readonly mirrors?: MirrorsOfStreams;
}

/** The lifecycle of a roster. It only checks, before anything changes. */
export function rosterLifecycle(
  open: (account: string) => JetStreamPort,
  handovers: Handovers = HANDOVERS,
) {
  return {
    async check(olds: Partial<Roster>, inputs: RosterInputs): Promise<CheckResult> {
      const { subjects = {}, mirrors = {}, ...roster } = inputs;
      if (hasUnknown(roster)) return { inputs: roster };
      const renamed = renamingsOf(olds, roster);
      const news = { ...roster, ...(Object.keys(renamed).length > 0 ? { renamed } : {}) };
      if (!hasUnknown(inputs)) handovers.announce(olds, news, subjects, mirrors);
      if (!isRoster(olds)) return { inputs: news };
      const findings = await Promise.all(
        accountsOf(olds).map((account) => checkAccount(account, open(account), olds, news)),
      );
      const leaving = Object.assign({}, ...findings.map((finding) => finding.leaving));
      return {
        inputs: { ...news, ...(Object.keys(leaving).length > 0 ? { leaving } : {}) },
        failures: toFailures([
          ...leavingOrigins({ ...olds, leaving }, news, mirrors),
          ...findings.flatMap(({ reasons }) => reasons),
        ]),
      };
    },
    async diff(_id: string, olds: Roster, news: Roster): Promise<DiffResult> {
      return { changes: !isDeepStrictEqual(essenceOf(olds), essenceOf(news)) };
    },
    create: async (inputs: Roster) => ({ id: inputs.account, outs: inputs }),
    read: async (id: string, props: Roster) => ({ id, props, inputs: props }),
    update: async (_id: string, _olds: Roster, news: Roster) => ({ outs: news }),
    delete: async () => undefined,
  };
}

function isRoster(olds: Partial<Roster>): olds is Roster {
  return olds.account !== undefined && olds.streams !== undefined;
}

function essenceOf({ account, firstIsOff, otherAccounts = [], streams }: Roster) {
  return { account, firstIsOff, otherAccounts, streams };
}

interface Leaver extends KeyedStream {
  readonly entry: LeavingEntry;
}

interface Finding {
  /** Why the settings are refused. */
  readonly reasons: readonly string[];
  /** Streams to be deleted that exist, by key. */
  readonly leaving: Readonly<Record<string, LeavingEntry>>;
}

/** Checks the streams of an account that are to be deleted. */
async function checkAccount(
  account: string,
  port: JetStreamPort,
  olds: Roster,
  news: Roster,
): Promise<Finding> {
  const streamsIn = (entries: Readonly<Record<string, LeavingEntry>>) =>
    Object.entries(entries)
      .map(([key, entry]) => ({ key, entry, ...identify(key, entry, olds.account) }))
      .filter((stream) => stream.account === account);
  const known = streamsIn(olds.streams).map(({ name }) => name);
  const leavers = streamsIn(leavingStreams(olds, news));
  try {
    const reasons = accountsOf(news).includes(account)
      ? []
      : await refuseLeaving(account, port, known);
    if (reasons.length > 0) return { reasons, leaving: {} };
    const looks = await Promise.all(leavers.map((leaver) => lookAt(port, leaver)));
    return {
      reasons: looks.flatMap(({ reason }) => (reason === undefined ? [] : [reason])),
      leaving: Object.assign({}, ...looks.map(({ leaving }) => leaving)),
    };
  } catch (error) {
    if (!isSilence(error)) throw error;
    // The deletion itself checks again, and fails if JetStream doesn't answer.
    const leaves = !accountsOf(news).includes(account);
    const atRisk = leavers.filter(({ entry }) => !entry.allowDataLoss);
    const unknown = leaves ? `account ${account}` : atRisk.map(({ name }) => name).join(", ");
    if (unknown !== "") console.error(`what ${unknown} holds is unknown: ${error.message}`);
    return {
      reasons: [],
      leaving: Object.fromEntries(leavers.map(({ key, entry }) => [key, entry])),
    };
  }
}

/**
 * Refuses to remove an account while it has streams, whether of the settings or not. Streams are deleted last, after
 * the account has left the servers, so their data would stay on the servers' disks, out of reach.
 */
async function refuseLeaving(
  account: string,
  port: JetStreamPort,
  known: readonly string[],
): Promise<string[]> {
  const streams = known.length > 0 ? known : await port.names();
  if (streams.length === 0) return [];
  const wayOut =
    known.length > 0
      ? 'put it back, take its streams out first, run "pulumi up", then take out the account'
      : "put it back, or delete them first (nats stream rm)";
  return [
    `account ${account} is taken out of the settings, or its jetStream switched off, but has streams: ${streams.join(", ")}; ${wayOut}`,
  ];
}

/** Checks a stream that is to be deleted. Skips it if it was deleted already and another stream has its name. */
async function lookAt(port: JetStreamPort, { key, name, entry }: Leaver) {
  try {
    const { created, state } = await port.info(name);
    if (entry.created !== undefined && entry.created !== created) return {};
    const leaving = { [key]: { ...entry, created } };
    if (state.messages === 0 || entry.allowDataLoss) return { leaving };
    const reason = `stream ${name} is taken out of the settings, but holds ${describeContents(state)}; put it back, empty it first (nats stream purge ${name}), or let the messages go: put it back with allowDataLoss: true, run "pulumi up", then take it out`;
    return { leaving, reason };
  } catch (error) {
    if (error instanceof StreamNotFound) return {};
    throw error;
  }
}
