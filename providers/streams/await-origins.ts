import { isDeepStrictEqual } from "node:util";
import { type Origin, originError, originsOf, unmatchedFilters } from "../../lib/plan/origins.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { describeContents } from "../../lib/streams/stream-loss.ts";
import type { JetStreamPort, StreamInfo } from "../../live/jetstream/jetstream.ts";
import { findAtOnce, insist, type Pace } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import type { Goal } from "./converge.ts";
import type { Reporting } from "./progress.ts";
import type { CheckVerdict } from "./stream-inputs.ts";

/**
 * Looks for the streams that a stream is to copy from, and that it doesn't copy from yet. Those of other accounts can't be
 * seen.
 *
 * @param isPlanned whether a stream of the same account is in the settings.
 */
export async function judgeOrigins(
  port: JetStreamPort,
  found: StreamInfo | undefined,
  { stream, account, config }: Pick<Goal, "stream" | "account" | "config">,
  isPlanned: (stream: string) => boolean,
): Promise<CheckVerdict> {
  const known = found ? originsOf(found.config) : [];
  const added = originsOf(config).filter(
    ({ config: origin }) =>
      !origin.external && !known.some((each) => isDeepStrictEqual(each.config, origin)),
  );
  const verdicts = await Promise.all(
    added.map(async (origin): Promise<CheckVerdict> => {
      // What those of the settings take is known without asking, and said of the settings.
      if (isPlanned(origin.config.name)) return { refusals: [], notices: [] };
      const info = await findAtOnce(port, origin.config.name);
      if (info) return judgeFilters(origin, info, stream);
      const reason = `${origin.path}: there is no stream ${origin.config.name} in account ${account}, neither in these settings nor on the servers, so ${stream} would stay empty; correct the name, or add that stream`;
      return { refusals: [reason], notices: [] };
    }),
  );
  return {
    refusals: verdicts.flatMap(({ refusals }) => refusals),
    notices: verdicts.flatMap(({ notices }) => notices),
  };
}

/**
 * Looks whether mirrors have got messages of an earlier stream of a name that is to begin anew: they leave out as many of
 * the new one's as that had (nats-server 2.15, `setupMirrorConsumer`), and say of themselves that they lack nothing.
 */
export async function judgeMirrors(
  port: JetStreamPort,
  stream: string,
  mirrors: readonly string[],
): Promise<CheckVerdict> {
  const refusals = await Promise.all(
    mirrors.map(async (mirror) => {
      const last = (await findAtOnce(port, mirror))?.state.last_seq ?? 0;
      if (last === 0) return [];
      return [
        `stream ${stream} begins anew, but ${mirror}, which mirrors it, has got messages of an earlier one, and would leave out the first ${last.toLocaleString("en")} of the new one; take mirror out of ${mirror} first, which then keeps what it has as a stream of its own`,
      ];
    }),
  );
  return { refusals: refusals.flat(), notices: [] };
}

/** What is there already may match where nothing new does. */
function judgeFilters(
  { path, config: origin }: Origin,
  info: StreamInfo,
  stream: string,
): CheckVerdict {
  const reasons = unmatchedFilters(origin, info.config).map(
    (filter) =>
      `${path}: no message that ${origin.name} takes (${info.config.subjects?.join(", ")}) matches "${filter}"`,
  );
  if (info.state.messages === 0) {
    return { refusals: reasons.map((reason) => `${reason}; correct the filter`), notices: [] };
  }
  const contents = describeContents(info.state);
  return {
    refusals: [],
    notices: reasons.map((reason) => `stream ${stream}: ${reason}; it holds ${contents}`),
  };
}

export interface Contact {
  /** Milliseconds to wait for the first contact; a copy asks an origin that wasn't there again after ten seconds. */
  readonly contact: number;
}

/** Waits until a stream has heard of all that it copies from; says, of what it hasn't heard by then, why. */
export async function awaitOrigins(
  port: JetStreamPort,
  { stream, config }: { readonly stream: string; readonly config: StreamConfig },
  pace: Pace & Reporting & Contact,
): Promise<void> {
  if (originsOf(config).length === 0) return;
  await until<void, readonly string[]>(
    async () => {
      const troubles = troublesOf(await insist(() => port.info(stream), pace));
      return troubles.length === 0 ? { done: undefined } : { shown: troubles };
    },
    {
      pause: pace.pause,
      limit: pace.contact,
      giveUp: (troubles) => {
        for (const trouble of troubles) pace.say(`stream ${stream}: ${trouble}`);
      },
    },
  );
}

/** Why a stream gets nothing, from each origin that it gets nothing from. */
export function troublesOf({ mirror, sources = [] }: StreamInfo): string[] {
  return [...(mirror ? [mirror] : []), ...sources].flatMap((each) => originError(each) ?? []);
}
