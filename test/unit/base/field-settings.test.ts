import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type ChangeWords,
  describeField,
  fieldShape,
  toApi,
} from "../../../lib/base/field-settings.ts";
import type { FieldTable } from "../../../lib/base/field-table.ts";

/** A made-up object of the API. */
const READER = {
  pace: {
    api: "pace",
    kind: "choice",
    values: ["instant", "original"],
    default: "instant",
    description: "How fast it reads.",
    update: "never",
  },
  ackWait: {
    api: "ack_wait",
    kind: "duration",
    default: 0,
    defaultWords: "`30s`",
    update: "in place",
  },
  maxBatch: { api: "max_batch", kind: "bytes", default: -1, update: "in place" },
  filters: {
    api: "filter_subjects",
    kind: "objects",
    fields: { byName: { api: "by_name", kind: "text", default: "", required: true } },
    update: "in place",
  },
} as const satisfies FieldTable;

const CHANGES: ChangeWords = {
  "in place": "at once",
  moves: "elsewhere",
  scales: "more of it",
  "only on": "once",
  "remove only": "gone",
  never: "a new reader",
};

const schema = z.strictObject(fieldShape(READER, CHANGES));

describe("the settings of any table", () => {
  it("become the API's names and units, what isn't set left out", () => {
    const settings = schema.parse({
      filters: [{ byName: "a" }],
      ackWait: "10s",
      maxBatch: "1KiB",
    });
    expect(toApi<typeof READER>(READER, settings)).toEqual({
      ack_wait: 10_000_000_000,
      max_batch: 1024,
      filter_subjects: [{ by_name: "a" }],
    });
    expect(toApi<typeof READER>(READER, {})).toEqual({});
  });

  it("are refused where they are of another kind, missing or unknown", () => {
    const pathsOf = (settings: object) =>
      schema.safeParse(settings).error?.issues.map(({ path }) => path.join("."));
    expect(pathsOf({ pace: "slow" })).toEqual(["pace"]);
    expect(pathsOf({ ackWait: "soon" })).toEqual(["ackWait"]);
    expect(pathsOf({ filters: [{}] })).toEqual(["filters.0.byName"]);
    expect(pathsOf({ patience: 1 })).toEqual([""]);
  });

  it("are told of in the words of their table", () => {
    expect(describeField(READER.pace, CHANGES)).toBe(
      'How fast it reads. `pace` of NATS\'s JSON API. Default: `"instant"`. A change: a new reader.',
    );
    expect(describeField(READER.ackWait, CHANGES)).toBe(
      "A duration, e.g. `7d`. `ack_wait` of NATS's JSON API. Default: `30s`. A change: at once.",
    );
    expect(describeField(READER.filters.fields.byName)).toBe("`by_name` of NATS's JSON API.");
  });
});
