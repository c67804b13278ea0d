import { isDeepStrictEqual } from "node:util";
import type { CheckResult, DiffResult } from "@pulumi/pulumi/dynamic/index.js";
import { listSome } from "../../lib/base/wording.ts";
import { describeContents } from "../../lib/streams/stream-loss.ts";
import type { KeyedStream } from "../../lib/streams/stream-name.ts";
import {
  accountsOf,
  identify,
  type LeavingEntry,
  leavingOrigins,
  leavingStreams,
  lostStreams,
  type Roster,
  renamingsOf,
} from "../../lib/update/remembered-streams.ts";
import { isSilence, type JetStreamPort, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import { configure, openConfigured } from "../process/configured.ts";
import { type RosterNotes, rosterNotes } from "../process/roster-note.ts";
import { hasUnknown, toFailures } from "../process/unknown.ts";
import { dropAbsent } from "./converge.ts";
import {
  HANDOVERS,
  type Handovers,
  isOlder,
  type MirrorsOfStreams,
  type SubjectsOfStreams,
} from "./handovers.ts";
import { judgeLeavingConsumers } from "./leaving-consumers.ts";

/** Used by the dynamic provider's process; components/parts/stream-roster.ts refers to this name. */
export const rosterProvider = { configure, ...rosterLifecycle(openConfigured) };

/** The program's inputs: the roster to remember, and the subjects and mirrors of the streams in the settings. */
export interface RosterInputs extends Roster {
  readonly subjects?: SubjectsOfStreams;
  /** The origin's name in the same account, by the mirror's key. */
  readonly mirrors?: MirrorsOfStreams;
}

/**
 * The lifecycle of a roster. It checks, before anything changes. It also notes each change of the roster, so that what
 * an `up` makes is found if it is killed before the state is written; streams of such an `up` that have left the
 * settings are deleted here, because Pulumi doesn't know them.
 */
export function rosterLifecycle(
  open: (account: string) => JetStreamPort,
  handovers: Handovers = HANDOVERS,
  notes: RosterNotes = rosterNotes,
) {
  let recollection: Recollection | undefined;
  const apply = async ({ orphans = {}, ...news }: Roster): Promise<Roster> => {
    const { recorded, since = 0, at = new Date().toISOString() } = recollection ?? {};
    const to = { ...news, ...(Object.keys(orphans).length > 0 ? { orphans } : {}) };
    notes.write({ ...(recorded ? { from: recorded } : {}), to, at });
    for (const [key, entry] of Object.entries(orphans)) {
      const { account, name } = identify(key, entry, news.account);
      await deleteOrphan(open(account), name, entry, since);
    }
    return news;
  };
  return {
    async check(known: Partial<Roster>, inputs: RosterInputs): Promise<CheckResult> {
      const { subjects = {}, mirrors = {}, ...roster } = inputs;
      if (hasUnknown(roster)) return { inputs: roster };
      recollection = recall(isRoster(known) ? rosterIn(known) : undefined, notes);
      const { olds, lost, since } = recollection;
      const renamed = renamingsOf(olds, roster);
      const news = { ...roster, ...(Object.keys(renamed).length > 0 ? { renamed } : {}) };
      if (!hasUnknown(inputs)) handovers.announce(olds, news, subjects, mirrors, { lost, since });
      if (!isRoster(olds)) return { inputs: news };
      const findings = await Promise.all(
        accountsOf(olds).map((account) => checkAccount(account, open(account), olds, news)),
      );
      const found: Readonly<Record<string, LeavingEntry>> = Object.assign(
        {},
        ...findings.map((finding) => finding.leaving),
      );
      const isLost = ([key, { created }]: [string, LeavingEntry]) =>
        Object.hasOwn(lost, key) && !isOlder(created, since);
      const orphans = Object.fromEntries(Object.entries(found).filter(isLost));
      const leaving = Object.fromEntries(
        Object.entries(found).filter(([key]) => !Object.hasOwn(lost, key)),
      );
      tellLost(orphans);
      const consumers = await judgeLeavingConsumers(open, olds, news);
      for (const notice of consumers.notices) console.error(notice);
      return {
        inputs: {
          ...news,
          ...(Object.keys(leaving).length > 0 ? { leaving } : {}),
          ...(Object.keys(orphans).length > 0 ? { orphans } : {}),
        },
        failures: toFailures([
          ...leavingOrigins({ ...olds, leaving }, news, mirrors),
          ...findings.flatMap(({ reasons }) => reasons),
          ...consumers.refusals,
        ]),
      };
    },
    async diff(_id: string, olds: Roster, news: Roster): Promise<DiffResult> {
      const changes =
        !isDeepStrictEqual(essenceOf(olds), essenceOf(news)) ||
        news.orphans !== undefined ||
        (notes.areAllThereIs() && !isDeepStrictEqual(olds.begun, news.begun));
      return { changes };
    },
    create: async (inputs: Roster) => ({
      id: inputs.account,
      outs: await apply(inputs),
    }),
    read: async (id: string, props: Roster) => ({ id, props, inputs: props }),
    update: async (_id: string, _olds: Roster, news: Roster) => ({ outs: await apply(news) }),
    delete: async () => undefined,
  };
}

/** What the last `up` left. */
interface Recollection {
  /** The roster in the state. */
  readonly recorded: Roster | undefined;
  /** The last `up`'s roster, whether or not it came to write the state. */
  readonly olds: Partial<Roster>;
  /** Streams that the state has no resource for, by key. */
  readonly lost: Readonly<Record<string, LeavingEntry>>;
  /** Milliseconds since 1970: older streams aren't among them. */
  readonly since: number;
  /** When the first of several ups that were killed began, RFC 3339: the next one may be killed, too. */
  readonly at?: string;
}

/** How much the servers' clocks may be behind, milliseconds. */
const CLOCKS_MS = 10_000;

function recall(recorded: Roster | undefined, notes: RosterNotes): Recollection {
  const note = notes.read();
  const wasKilled = note !== undefined && isDeepStrictEqual(note.from, recorded);
  if (!wasKilled) {
    return { recorded, olds: recorded ?? {}, lost: recorded?.orphans ?? {}, since: 0 };
  }
  const since = Date.parse(note.at) - CLOCKS_MS;
  const lost = lostStreams(recorded, note.to);
  return { recorded, olds: note.to, lost, since, at: note.at };
}

function tellLost(orphans: Readonly<Record<string, LeavingEntry>>): void {
  const names = Object.entries(orphans).map(([key, { stream = key }]) => stream);
  if (names.length === 0) return;
  console.error(
    `the last up was killed, and had made streams that are in the settings no more: ${listSome(names)}; they are deleted`,
  );
}

async function deleteOrphan(
  port: JetStreamPort,
  name: string,
  entry: LeavingEntry,
  since: number,
): Promise<void> {
  try {
    const { created, state } = await port.info(name);
    if (isOlder(created, since)) return;
    if (entry.created !== undefined && entry.created !== created) return;
    if (state.messages > 0 && !entry.allowDataLoss) {
      throw new Error(
        `stream ${name}, which an up that was killed has made, holds ${describeContents(state)}: put it back into the settings, or empty it first (nats stream purge ${name})`,
      );
    }
    await port.delete(name);
  } catch (error) {
    if (error instanceof StreamNotFound) return;
    if (!isSilence(error)) throw error;
    // A new cluster's servers may not be ready yet. The state remembers it.
    console.error(
      `stream ${name}, which an up that was killed has made, is deleted by the next up`,
    );
  }
}

function isRoster(olds: Partial<Roster>): olds is Roster {
  return olds.account !== undefined && olds.streams !== undefined;
}

/** Without what Pulumi adds. */
function rosterIn(known: Roster): Roster {
  const { account, firstIsOff, otherAccounts, streams, leaving, begun, renamed, orphans } = known;
  return dropAbsent({
    account,
    firstIsOff,
    otherAccounts,
    streams,
    leaving,
    begun,
    renamed,
    orphans,
  }) as Roster;
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
