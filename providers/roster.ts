import { isDeepStrictEqual } from "node:util";
import type { CheckResult, DiffResult } from "@pulumi/pulumi/dynamic/index.js";
import { accountOf, accountsOf, type Roster } from "../lib/roster.ts";
import { describeContents } from "../lib/stream-loss.ts";
import { configure, openConfigured } from "./configured.ts";
import { hasUnknown, toFailures } from "./engine.ts";
import { HANDOVERS, type Handovers, type SubjectsOfStreams } from "./handover.ts";
import { isSilence, type JetStreamPort, StreamNotFound } from "./jetstream.ts";

/** Runs in the dynamic provider's process; components/stream-roster.ts loads it by this name. */
export const rosterProvider = { configure, ...rosterLifecycle(openConfigured) };

/** What the program passes: beside what is remembered, what the streams of the settings are to take. */
export interface RosterInputs extends Roster {
  readonly subjects?: SubjectsOfStreams;
}

/** The lifecycle of a roster: all that it does is to look, in `check`, before anything changes. */
export function rosterLifecycle(
  open: (account: string) => JetStreamPort,
  handovers: Handovers = HANDOVERS,
) {
  return {
    async check(olds: Partial<Roster>, inputs: RosterInputs): Promise<CheckResult> {
      const { subjects = {}, ...news } = inputs;
      if (!hasUnknown(inputs)) handovers.announce(olds, news, subjects);
      if (hasUnknown(news) || !isRoster(olds)) return { inputs: news };
      const reasons = await Promise.all(
        accountsOf(olds).map((account) => checkAccount(account, open(account), olds, news)),
      );
      return { inputs: news, failures: toFailures(reasons.flat()) };
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

/** Looks at the streams that an account had after the last `up`. */
async function checkAccount(
  account: string,
  port: JetStreamPort,
  olds: Roster,
  news: Roster,
): Promise<string[]> {
  const known = Object.keys(olds.streams).filter((name) => accountOf(olds, name) === account);
  const atRisk = known.filter(
    (name) => !Object.hasOwn(news.streams, name) && !olds.streams[name]?.allowDataLoss,
  );
  try {
    if (!accountsOf(news).includes(account)) return await refuseLeaving(account, port, known);
    // Nothing is asked of an account without streams.
    if (known.length === 0) return [];
    const [reasons] = await Promise.all([
      refuseLosses(port, atRisk),
      tellVanished(
        port,
        known.filter((name) => name in news.streams),
      ),
    ]);
    return reasons;
  } catch (error) {
    if (!isSilence(error)) throw error;
    // The deletion itself looks again, and fails where nobody answers.
    const leaves = !accountsOf(news).includes(account);
    const unknown = leaves ? `account ${account}` : atRisk.join(", ");
    if (unknown !== "") console.error(`what ${unknown} holds is unknown: ${error.message}`);
    return [];
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

async function refuseLosses(port: JetStreamPort, removed: readonly string[]): Promise<string[]> {
  const reasons = await Promise.all(
    removed.map(async (name) => {
      try {
        const { state } = await port.info(name);
        if (state.messages === 0) return [];
        return [
          `stream ${name} is taken out of the settings, but holds ${describeContents(state)}; put it back, empty it first (nats stream purge ${name}), or let the messages go: put it back with allowDataLoss: true, run "pulumi up", then take it out`,
        ];
      } catch (error) {
        if (error instanceof StreamNotFound) return [];
        throw error;
      }
    }),
  );
  return reasons.flat();
}

async function tellVanished(port: JetStreamPort, kept: readonly string[]): Promise<void> {
  const present = new Set(await port.names());
  for (const name of kept.filter((name) => !present.has(name))) {
    console.error(
      `stream ${name} was there after the last up, and is gone with its messages: "pulumi up --refresh" makes it anew, empty`,
    );
  }
}
