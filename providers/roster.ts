import { isDeepStrictEqual } from "node:util";
import type { CheckResult, DiffResult } from "@pulumi/pulumi/dynamic/index.js";
import { describeContents } from "../lib/stream-loss.ts";
import type { RosterEntry } from "../lib/stream-policy.ts";
import { configure, openConfigured } from "./configured.ts";
import { hasUnknown, toFailures } from "./engine.ts";
import { isSilence, type JetStreamPort, StreamNotFound } from "./jetstream.ts";

export interface Roster {
  readonly account: string;
  readonly streams: Readonly<Record<string, RosterEntry>>;
}

/** Runs in the dynamic provider's process; components/stream-roster.ts loads it by this name. */
export const rosterProvider = { configure, ...rosterLifecycle(openConfigured) };

/** The lifecycle of a roster: all that it does is to look, in `check`, before anything changes. */
export function rosterLifecycle(open: (account: string) => JetStreamPort) {
  return {
    async check(olds: Partial<Roster>, news: Roster): Promise<CheckResult> {
      const known = olds.streams ?? {};
      if (hasUnknown(news) || Object.keys(known).length === 0) return { inputs: news };
      const port = open(news.account);
      const removed = Object.keys(known).filter((name) => !(name in news.streams));
      const atRisk = removed.filter((name) => !known[name]?.allowDataLoss);
      try {
        const [reasons] = await Promise.all([
          refuseLosses(port, atRisk),
          tellVanished(
            port,
            Object.keys(known).filter((name) => name in news.streams),
          ),
        ]);
        return { inputs: news, failures: toFailures(reasons) };
      } catch (error) {
        if (!isSilence(error)) throw error;
        // The deletion itself looks again, and fails where nobody answers.
        if (atRisk.length > 0)
          console.error(`what ${atRisk.join(", ")} holds is unknown: ${error.message}`);
        return { inputs: news };
      }
    },
    async diff(_id: string, olds: Roster, news: Roster): Promise<DiffResult> {
      const essence = ({ account, streams }: Roster) => ({ account, streams });
      return { changes: !isDeepStrictEqual(essence(olds), essence(news)) };
    },
    create: async (inputs: Roster) => ({ id: inputs.account, outs: inputs }),
    read: async (id: string, props: Roster) => ({ id, props, inputs: props }),
    update: async (_id: string, _olds: Roster, news: Roster) => ({ outs: news }),
    delete: async () => undefined,
  };
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
