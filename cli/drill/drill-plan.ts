import { countOf, listSome } from "../../lib/base/wording.ts";
import { placementRequest, planSeating } from "../../lib/placement/placement.ts";
import type { Loss } from "../../lib/placement/survivability.ts";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { streamKey, streamNamer } from "../../lib/streams/stream-name.ts";
import { UserError } from "../terminal/user-error.ts";
import { type Forecast, forecast, type Sampling, sample } from "./forecast.ts";
import type { WellLook } from "./scene.ts";
import type { How } from "./terms.ts";

/** The parameters of a drill. */
export interface DrillTerms {
  readonly stack: string;
  readonly loss: Loss;
  readonly how: How;
  /** Milliseconds. */
  readonly duration: number;
}

/** A drill and its expected results. */
export interface DrillPlan extends DrillTerms {
  readonly metaGroup: Forecast;
  /** Streams of all accounts, by name. */
  readonly streams: readonly Forecast[];
  readonly sampling: Sampling;
}

/**
 * Predicts the effect of a loss on a cluster, from the current hosts of its replicas and from the planned ones.
 *
 * @param plan the plan of the settings.
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
 * Refuses a drill that would lose messages: a stream that loses its majority has only its messages on disk afterwards.
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
    `Nothing was touched: streams would lose a majority of their replicas, and messages in their memory would be gone for good: ${listSome(atRisk)}. Use --how pause, or allow it by --allow-data-loss.`,
  );
}
