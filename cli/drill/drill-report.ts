import { countOf } from "../../lib/base/wording.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import type { DrillPlan, DrillTerms } from "./drill-plan.ts";
import {
  type Course,
  describeDeviation,
  describeFinding,
  type Finding,
  type Forecast,
  judgeCourse,
  type Lookout,
  type Sampling,
  type Timing,
} from "./forecast.ts";
import { LOOK_INTERVAL_MS } from "./watch.ts";

/** What came of it: what `npm run drill -- --json` prints. Times are in milliseconds. */
export interface DrillReport extends DrillTerms {
  /** All was as expected, and is well again. */
  readonly ok: boolean;
  readonly metaGroup: Finding;
  readonly streams: readonly Finding[];
  /** From the restoring on until every node, stream and consumer was well; absent where that was not waited for. */
  readonly wellAfter?: number;
  /** What is not as it should be, a sentence each. */
  readonly problems: readonly string[];
  /** What else there is to know, a sentence each. */
  readonly notices: readonly string[];
}

export interface DrillRecord extends Timing {
  readonly courseOf: (group: Forecast) => Course;
  /** Whether a stream's replicas were asked to agree on something. */
  readonly isAsked: (stream: Forecast) => boolean;
  /** What could not be brought back, a sentence each. */
  readonly stranded: readonly string[];
  /** What the cluster lacks at the end; absent if nothing. */
  readonly lack?: string;
  /** Milliseconds that it was given to be well again. */
  readonly limit: number;
}

/** Makes sense of what was seen. */
export function reportOnDrill(plan: DrillPlan, record: DrillRecord): DrillReport {
  const { courseOf, isAsked, stranded, lack, limit, restoring, end } = record;
  const { metaGroup: meta, streams: forecasts, sampling, ...facts } = plan;
  const asked: Lookout = { probe: "agreement", interval: sampling.interval };
  const seen: Lookout = { probe: "pages", interval: LOOK_INTERVAL_MS };
  const metaGroup = judgeCourse(meta, courseOf(meta), seen, record);
  // Without a meta leader the API asks no stream, whether or not that could be written to.
  const isDeaf = metaGroup.observed === "lost";
  const streams = forecasts.map((stream) =>
    judgeCourse(stream, courseOf(stream), isDeaf || !isAsked(stream) ? seen : asked, record),
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
