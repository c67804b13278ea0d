/** The figures of a run of the bench with many streams, and their table. */
import { z } from "zod";
import type { StreamBench } from "./many-streams.ts";
import type { TextTable } from "./tables.ts";

const seconds = z.number().exactOptional();

export const streamFiguresSchema = z.object({
  rows: z.array(
    z.object({
      streams: z.number(),
      /** Seconds of an `up` that adds the streams which the previous row didn't have. */
      up: seconds,
      skippedUp: seconds,
      noOpPreview: z.number(),
      peakMiB: z.number(),
    }),
  ),
  /** Seconds, with all streams. */
  destroy: seconds,
  skippedDestroy: seconds,
});

export type StreamFigures = z.output<typeof streamFiguresSchema>;

/**
 * @param usual with a state after each resource, as Pulumi has it by itself; absent if it wasn't measured.
 * @param skipped as `npx pulumi` has it.
 */
export function streamFiguresOf(
  usual: StreamBench | undefined,
  skipped: StreamBench,
): StreamFigures {
  return {
    rows: skipped.costs.map((quick, index) => {
      const slow = usual?.costs[index];
      const { up, noOpPreview } = slow ?? quick;
      const peaks = [up, noOpPreview].map(({ costs }) => costs?.peakMiB ?? 0);
      return {
        streams: quick.streams,
        ...(slow && { up: round1(slow.up.seconds) }),
        skippedUp: round1(quick.up.seconds),
        noOpPreview: round1(noOpPreview.seconds),
        peakMiB: Math.round(Math.max(...peaks)),
      };
    }),
    ...(usual && { destroy: round1(usual.destroy.seconds) }),
    skippedDestroy: round1(skipped.destroy.seconds),
  };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** What more and more streams cost, and what it costs to destroy them. */
export function streamsTable({ rows, destroy, skippedDestroy }: StreamFigures): TextTable {
  const withEach = (seconds: number | undefined, added: number) => {
    if (seconds === undefined) return "";
    return `${seconds.toFixed(1)} (${Math.round((seconds / added) * 1_000)} ms each)`;
  };
  const steps = rows.map(({ streams, up, skippedUp, noOpPreview, peakMiB }, index) => {
    const added = streams - (rows[index - 1]?.streams ?? 0);
    const ups = [up, skippedUp].map((seconds) => withEach(seconds, added));
    return [`up to ${streams}`, ...ups, noOpPreview.toFixed(1), `${peakMiB}`];
  });
  const destroys = [destroy, skippedDestroy].map((seconds) => seconds?.toFixed(1) ?? "");
  return {
    head: [
      "step",
      "with `PULUMI_SKIP_CHECKPOINTS=false`, s",
      "s",
      "no-op preview, s",
      "peak memory, MiB",
    ],
    rows: [...steps, ["destroy", ...destroys, "", ""]],
  };
}
