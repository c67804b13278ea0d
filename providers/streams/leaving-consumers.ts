import { awaited, describeStanding } from "../../lib/consumers/standing.ts";
import { leavingConsumers, type Roster } from "../../lib/update/remembered-streams.ts";
import { isSilence, type JetStreamPort, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import type { CheckVerdict } from "./stream-inputs.ts";

/**
 * Judges consumers that leave the settings, before anything changes: Pulumi tells a provider nothing of deletions in a
 * preview. A stream with `retention: interest` drops what it keeps for such a consumer alone, so that is refused. Of
 * the others it is said where they stand.
 */
export async function judgeLeavingConsumers(
  open: (account: string) => JetStreamPort,
  olds: Roster,
  news: Roster,
): Promise<CheckVerdict> {
  const verdicts = await Promise.all(
    leavingConsumers(olds, news).map((leaving) => judgeThoseOf(open(leaving.account), leaving)),
  );
  return {
    refusals: verdicts.flatMap(({ refusals }) => refusals),
    notices: verdicts.flatMap(({ notices }) => notices),
  };
}

async function judgeThoseOf(
  port: JetStreamPort,
  { name: stream, consumers }: ReturnType<typeof leavingConsumers>[number],
): Promise<CheckVerdict> {
  const isAsked = (name: string) => Object.hasOwn(consumers, name);
  try {
    const { config } = await port.info(stream);
    const there = await port.consumers(stream);
    if (!there) return unknown(stream, consumers, "some consumers have no leader");
    const found = there.filter((each) => isAsked(each.name) && awaited(each) > 0);
    const [kept, free] = [
      found.filter(
        ({ name }) => config.retention === "interest" && !consumers[name]?.allowDataLoss,
      ),
      found.filter(({ name }) => config.retention !== "interest" || consumers[name]?.allowDataLoss),
    ];
    return {
      refusals: kept.map(
        (each) =>
          `consumer ${each.name} of stream ${stream} is taken out of the settings, but the stream would drop messages that it keeps for it (${describeStanding(each)}); put it back, or let them go: put it back with allowDataLoss: true, run "pulumi up", then take it out`,
      ),
      notices: free.map(
        (each) =>
          `consumer ${each.name} of stream ${stream} is taken out of the settings, and deleted with where it stands: ${describeStanding(each)}`,
      ),
    };
  } catch (error) {
    if (error instanceof StreamNotFound) return { refusals: [], notices: [] };
    if (!isSilence(error)) throw error;
    return unknown(stream, consumers, error.message);
  }
}

function unknown(stream: string, consumers: object, reason: string): CheckVerdict {
  const names = Object.keys(consumers).join(", ");
  return {
    refusals: [],
    notices: [`where ${names} of stream ${stream} stand is unknown: ${reason}`],
  };
}
