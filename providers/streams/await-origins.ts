import { isDeepStrictEqual } from "node:util";
import { type Origin, originError, originsOf, unmatchedFilters } from "../../lib/plan/origins.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { describeContents } from "../../lib/streams/stream-loss.ts";
import type { JetStreamPort, StreamInfo } from "../../live/jetstream/jetstream.ts";
import { findAtOnce, type Pace, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import type { Goal } from "./converge.ts";
import type { Reporting } from "./progress.ts";
import type { CheckVerdict } from "./stream-inputs.ts";

/**
 * Checks that the new origins of a mirror or of sources exist. Origins in other accounts can't be checked.
 *
 * @param isPlanned whether the settings have a stream of that name in the same account.
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
      // The settings' own validation covers origins that are in the settings.
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
 * Refuses to create a stream again if a mirror of it holds messages of an earlier stream of the same name. Such a mirror
 * would skip as many messages of the new stream as the earlier one had (nats-server 2.15, `setupMirrorConsumer`), and
 * report that it lacks nothing.
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
        `stream ${stream} is created again, but ${mirror}, which mirrors it, has got messages of an earlier one, and would leave out the first ${last.toLocaleString("en")} of the new one; take mirror out of ${mirror} first, which then keeps what it has as a stream of its own`,
      ];
    }),
  );
  return { refusals: refusals.flat(), notices: [] };
}

/** A filter that matches no subject of the origin is an error, unless the origin holds messages: those may match. */
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
  /** Milliseconds to wait for the first contact. A server retries an origin that didn't exist after ten seconds. */
  readonly contact: number;
}

/**
 * Waits until a stream has contact with all of its origins. After {@link Contact.contact} it reports why some are
 * missing.
 */
export async function awaitOrigins(
  port: JetStreamPort,
  { stream, config }: { readonly stream: string; readonly config: StreamConfig },
  pace: Pace & Reporting & Contact,
): Promise<void> {
  if (originsOf(config).length === 0) return;
  await until<void, readonly string[]>(
    async () => {
      const troubles = troublesOf(await retry(() => port.info(stream), pace));
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

/** Why a stream receives nothing, for each such origin. */
export function troublesOf({ mirror, sources = [] }: StreamInfo): string[] {
  return [...(mirror ? [mirror] : []), ...sources].flatMap((each) => originError(each) ?? []);
}
