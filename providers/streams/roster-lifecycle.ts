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

/** Runs in the dynamic provider's process; components/stream-roster.ts loads it by this name. */
export const rosterProvider = { configure, ...rosterLifecycle(openConfigured) };

/** What the program passes: beside what is remembered, what the streams of the settings are to take. */
export interface RosterInputs extends Roster {
  readonly subjects?: SubjectsOfStreams;
  /** Of which stream of its account each mirror is one. */
  readonly mirrors?: MirrorsOfStreams;
}

/** The lifecycle of a roster: all that it does is to look, in `check`, before anything changes. */
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
  /** Why the settings can't be. */
  readonly reasons: readonly string[];
  /** Streams to be deleted that are there, by key. */
  readonly leaving: Readonly<Record<string, LeavingEntry>>;
}

/** Looks at the streams of an account that are to be deleted. */
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
    // The deletion itself looks again, and fails where nobody answers.
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
 * An account leaves the servers before its streams could be deleted, as they are deleted last: none of its streams
 * may be there any more, whether of the settings or not. What it holds would lie on the servers' disks, out of reach.
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

/** Looks at a stream that is to be deleted, unless it has been and another has its name. */
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
