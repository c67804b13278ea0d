import { countOf, listSome } from "../../lib/base/wording.ts";
import { placementRequest, planSeating } from "../../lib/placement/placement.ts";
import type { Loss } from "../../lib/placement/survivability.ts";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { streamKey, streamNamer } from "../../lib/streams/stream-name.ts";
import { UserError } from "../terminal/user-error.ts";
import { type Forecast, forecast, type Sampling, sample } from "./forecast.ts";
import type { WellLook } from "./scene.ts";
import type { How } from "./terms.ts";

/** What is to be done. */
export interface DrillTerms {
  readonly stack: string;
  readonly loss: Loss;
  readonly how: How;
  /** Milliseconds. */
  readonly duration: number;
}

/** What is about to happen, and what should come of it. */
export interface DrillPlan extends DrillTerms {
  readonly metaGroup: Forecast;
  /** Of all accounts, by name. */
  readonly streams: readonly Forecast[];
  readonly sampling: Sampling;
}

/**
 * Says what a loss does to a cluster by where its replicas are, and by where its settings would have them.
 *
 * @param plan what the settings come to.
 */
export function planDrill(
  { accounts, streams: planned, fleet }: Pick<ClusterPlan, "accounts" | "streams" | "fleet">,
  { metaGroup, streams }: Pick<WellLook, "metaGroup" | "streams">,
  terms: DrillTerms,
): DrillPlan {
  const { loss } = terms;
  const seatings = new Map(
    planned.map((stream) => [
      streamKey(stream),
      planSeating(placementRequest(stream.config), fleet),
    ]),
  );
  const forecasts = [...streams.values()]
    .map((stream) => forecast(stream, loss, seatings.get(streamKey(stream))))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    ...terms,
    metaGroup: forecast(metaGroup, loss),
    streams: forecasts,
    sampling: sample(forecasts.filter(({ account }) => account === accounts[0]?.name)),
  };
}

/**
 * Refuses what would cost messages: a stream that loses its majority comes back with what is on disk.
 *
 * @throws UserError naming the streams and what they hold.
 */
export function refuseDataLoss(
  { streams: forecasts, how }: Pick<DrillPlan, "streams" | "how">,
  { streams }: Pick<WellLook, "streams">,
): void {
  if (how === "pause") return;
  const nameOf = streamNamer(forecasts);
  const atRisk = forecasts.flatMap((stream) => {
    const messages = streams.get(streamKey(stream))?.volatileMessages ?? 0;
    const isLost = stream.expected === "lost" && messages > 0;
    return isLost ? [`${countOf(messages, "message")} of ${nameOf(stream)}`] : [];
  });
  if (atRisk.length === 0) return;
  throw new UserError(
    `Nothing was touched: a majority of the replicas would go whose messages are in memory only, and would be gone for good: ${listSome(atRisk)}. Use --how pause, or allow it by --allow-data-loss.`,
  );
}
