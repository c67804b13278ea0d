import { countOf } from "../../lib/base/wording.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import type { DrillPlan, DrillTerms } from "./drill-plan.ts";
import {
  describeDeviation,
  describeFinding,
  type Finding,
  type Forecast,
  judgeObservations,
  type Observations,
  type Probing,
  type Sampling,
  type Timing,
} from "./forecast.ts";
import { LOOK_INTERVAL_MS } from "./watch.ts";

/** The result of a drill, as `npm run drill -- --json` prints it. Times are milliseconds. */
export interface DrillReport extends DrillTerms {
  /** Whether everything was as expected, and is healthy again. */
  readonly ok: boolean;
  readonly metaGroup: Finding;
  readonly streams: readonly Finding[];
  /**
   * Time from the start of the restore until every node, stream and consumer was healthy; absent if that wasn't
   * awaited.
   */
  readonly wellAfter?: number;
  /** Unexpected results, one sentence each. */
  readonly problems: readonly string[];
  /** Further information, one sentence each. */
  readonly notices: readonly string[];
}

export interface DrillRecord extends Timing {
  readonly observationsOf: (group: Forecast) => Observations;
  /** Whether the replicas of a stream were asked to agree on a write. */
  readonly isAsked: (stream: Forecast) => boolean;
  /** What couldn't be restored, one sentence each. */
  readonly stranded: readonly string[];
  /** What the cluster lacks at the end; absent if nothing. */
  readonly lack?: string;
  /** Milliseconds that the cluster had to become healthy again. */
  readonly limit: number;
}

/** Evaluates the record of a drill. */
export function reportOnDrill(plan: DrillPlan, record: DrillRecord): DrillReport {
  const { observationsOf, isAsked, stranded, lack, limit, restoring, end } = record;
  const { metaGroup: meta, streams: forecasts, sampling, ...facts } = plan;
  const asked: Probing = { probe: "agreement", interval: sampling.interval };
  const seen: Probing = { probe: "pages", interval: LOOK_INTERVAL_MS };
  const metaGroup = judgeObservations(meta, observationsOf(meta), seen, record);
  // Without a meta leader the API reaches no stream, even one that could be written to.
  const isDeaf = metaGroup.observed === "lost";
  const streams = forecasts.map((stream) =>
    judgeObservations(
      stream,
      observationsOf(stream),
      isDeaf || !isAsked(stream) ? seen : asked,
      record,
    ),
  );
  const findings = [metaGroup, ...streams];
  const nameOf = streamNamer(streams);
  const problems = [
    ...stranded,
    ...findings.flatMap((finding) => describeFinding(nameOf(finding), finding, limit)),
    ...(lack === undefined ? [] : [`${limit / 1_000} s after restoring: ${lack}`]),
  ];
  const { stack, loss, how, duration } = facts;
  return {
    stack,
    loss,
    how,
    duration,
    ok: problems.length === 0,
    metaGroup,
    streams,
    ...(lack === undefined ? { wellAfter: end - restoring } : {}),
    problems,
    notices: [
      ...forecasts.flatMap((stream) => describeDeviation(nameOf(stream), stream) ?? []),
      ...describeProbes(streams, sampling),
    ],
  };
}

function describeProbes(streams: readonly Finding[], { interval }: Sampling): string[] {
  const byPages = streams.filter(({ probe }) => probe === "pages").length;
  if (byPages === 0) return [];
  const asked = streams.length - byPages;
  const others = asked > 0 ? `; the other ${asked} were asked every ${interval / 1_000} s` : "";
  return [
    `${countOf(byPages, "stream")} could not be asked to agree on anything, and ${byPages === 1 ? "is" : "are"} judged by ${byPages === 1 ? "its leader's page" : "their leaders' pages"}${others}`,
  ];
}
