import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Estate } from "../../../lib/streams/across.ts";
import {
  compileStream,
  findOverlaps,
  streamSettingsSchema,
} from "../../../lib/streams/stream-config.ts";
import { STREAM_FIELDS, type StreamConfig } from "../../../lib/streams/stream-fields.ts";
import { validateConfig } from "../../../lib/streams/stream-rules.ts";
import { type Shape, uniformShape } from "../../../lib/topology/shape.ts";
import { OWN_TAGS } from "../../../lib/topology/tags.ts";
import { placeNodes } from "../../../lib/topology/topology.ts";

const ESTATE = estateOf(uniformShape(["rg1", "rg2", "rg3"], ["az1", "az2", "az3"]));
const SECOND = 1_000_000_000;

function estateOf(shape: Shape): Estate {
  return { shape, nodes: placeNodes(shape), uniqueTag: "az:", tags: OWN_TAGS };
}

function compile(name: string, settings: object) {
  return compileStream(name, streamSettingsSchema.parse(settings), ESTATE);
}

function complaints(settings: object): string[] {
  const { error } = streamSettingsSchema.safeParse(settings);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("settings", () => {
  it("need nothing: one replica on disk, the name as subject", () => {
    expect(compile("ORDERS", {})).toEqual({
      config: { name: "ORDERS", subjects: ["ORDERS"], num_replicas: 1 },
      problems: [],
    });
  });

  it("compile to the API's names and units, every field of them", () => {
    const origin = {
      name: "ORIGIN",
      startTime: "2026-01-31T12:00:00Z",
      external: { api: "$JS.hub.API", deliver: "deliver.hub" },
      subjectTransforms: [{ src: "a.>", dest: "b.>" }],
    };
    const { config, problems } = compile("ALL", {
      description: "everything",
      retention: "interest",
      replicas: 3,
      placement: { region: "rg2", cluster: "c1" },
      storage: "memory",
      compression: "s2",
      discard: "new",
      discardNewPerSubject: true,
      maxAge: "7d",
      maxMsgs: 1_000,
      maxBytes: "1GiB",
      maxMsgsPerSubject: 5,
      maxMsgSize: "1MB",
      maxConsumers: -1,
      noAck: true,
      duplicateWindow: "30s",
      sources: [origin, { name: "OTHER", filterSubject: "x.>", startSequence: 7 }],
      subjectTransform: { src: "in.>", dest: "out.>" },
      republish: { src: "out.>", dest: "copy.>", headersOnly: true },
      consumerLimits: { inactiveThreshold: "1h", maxAckPending: 100 },
      firstSequence: 100,
      allowDirect: true,
      mirrorDirect: false,
      allowRollup: true,
      denyDelete: true,
      denyPurge: false,
      sealed: false,
      metadata: { team: "orders" },
      allowMsgTtl: true,
      subjectDeleteMarkerTtl: "1m",
      allowMsgCounter: false,
      allowAtomic: true,
      allowMsgSchedules: false,
      persistMode: "default",
      allowBatched: true,
    });
    expect(problems).toEqual([]);
    expect(config).toEqual({
      name: "ALL",
      description: "everything",
      retention: "interest",
      num_replicas: 3,
      placement: { cluster: "c1", tags: ["rg:2"] },
      storage: "memory",
      compression: "s2",
      discard: "new",
      discard_new_per_subject: true,
      max_age: 604_800 * SECOND,
      max_msgs: 1_000,
      max_bytes: 1024 ** 3,
      max_msgs_per_subject: 5,
      max_msg_size: 1_000_000,
      max_consumers: -1,
      no_ack: true,
      duplicate_window: 30 * SECOND,
      sources: [
        {
          name: "ORIGIN",
          opt_start_time: "2026-01-31T12:00:00Z",
          external: { api: "$JS.hub.API", deliver: "deliver.hub" },
          subject_transforms: [{ src: "a.>", dest: "b.>" }],
        },
        { name: "OTHER", filter_subject: "x.>", opt_start_seq: 7 },
      ],
      subject_transform: { src: "in.>", dest: "out.>" },
      republish: { src: "out.>", dest: "copy.>", headers_only: true },
      consumer_limits: { inactive_threshold: 3_600 * SECOND, max_ack_pending: 100 },
      first_seq: 100,
      allow_direct: true,
      mirror_direct: false,
      allow_rollup_hdrs: true,
      deny_delete: true,
      deny_purge: false,
      sealed: false,
      metadata: { team: "orders" },
      allow_msg_ttl: true,
      subject_delete_marker_ttl: 60 * SECOND,
      allow_msg_counter: false,
      allow_atomic: true,
      allow_msg_schedules: false,
      persist_mode: "default",
      allow_batched: true,
    } satisfies StreamConfig);
    const unused = Object.values(STREAM_FIELDS).filter(({ api }) => !(api in config));
    expect(unused.map(({ api }) => api)).toEqual(["subjects", "mirror"]);
  });

  it.each([
    [{ replica: 3 }, 'Unrecognized key: "replica"'],
    [{ replicas: 7 }, "replicas: 7 is not a whole number from 1 to 5"],
    [{ replicas: 0 }, "replicas: 0 is not a whole number from 1 to 5"],
    [{ replicas: "3" }, 'replicas: "3" is not a whole number from 1 to 5'],
    [{ storage: "disk" }, 'storage: "disk" is not file or memory'],
    [{ retention: "work" }, 'retention: "work" is not limits, interest or workqueue'],
    [{ maxAge: 60 }, 'maxAge: "60" is not a duration'],
    [{ maxBytes: "1G" }, 'maxBytes: "1G" is not a size'],
    [{ maxMsgs: 0 }, "maxMsgs: 0 is not a whole number from 1, or -1 for no limit"],
    [{ subjects: "orders" }, 'subjects: "orders" is not a list'],
    [
      { subjects: [1] },
      "subjects.0: 1 is not text; put it in quotes in the settings file, or set it by",
    ],
    [{ noAck: "yes" }, 'noAck: "yes" is not true or false'],
    [{ metadata: { a: true } }, "metadata.a: true is not text; put it in quotes"],
    [{ metadata: { a: [] } }, "metadata.a: [] is not text"],
    [{ mirror: {} }, "mirror.name: is missing: text"],
    [{ mirror: { name: "A", startTime: "today" } }, 'mirror.startTime: "today" is not a time'],
    [{ placement: {} }, "placement: says nothing; use one of region, across, tags"],
    [
      { placement: { region: "rg1", tags: ["a"] } },
      "placement: region and tags exclude each other",
    ],
    [{ placement: { preferred: "rg1-az1" } }, 'placement: Unrecognized key: "preferred"'],
  ])("%j is refused", (settings, complaint) => {
    expect(complaints(settings).join("\n")).toContain(complaint);
  });

  it("are refused with every problem at once", () => {
    expect(complaints({ replicas: 9, storage: "x", colour: "red" })).toHaveLength(3);
  });
});

describe("placement", () => {
  it.each([
    [{ region: "rg2" }, ["rg:2"]],
    [{ across: { rg1: "az1", rg2: "az2", rg3: "az3" } }, ["xr:123"]],
    [{ across: { rg3: "az1", rg1: "az2" } }, ["xr:2_1"]],
    [{ tags: ["rg:1", "!az:2"] }, ["rg:1", "!az:2"]],
  ])("%j asks for the tags %j", (placement, tags) => {
    const { config, problems } = compile("ORDERS", { placement });
    expect(config.placement).toEqual({ tags });
    expect(problems).toEqual([]);
  });

  it("takes no region for chosen that only shares its name with what all objects have", () => {
    const regions = ["rg1", "constructor", "rg3"];
    const settings = { replicas: 2, placement: { across: { rg1: "az1", rg3: "az2" } } };
    const { config } = compileStream(
      "ORDERS",
      settings,
      estateOf(uniformShape(regions, ["az1", "az2"])),
    );
    expect(config.placement).toEqual({ tags: ["xr:1_2"] });
  });

  it("names the places that there are", () => {
    const across = { rg1: "az9", rg8: "az1" };
    expect(compile("ORDERS", { placement: { across } }).problems).toEqual([
      {
        path: "streams.ORDERS.placement.across.rg1",
        message: 'there is no zone "az9"',
        fix: "use az1, az2 or az3",
      },
      {
        path: "streams.ORDERS.placement.across",
        message: 'there is no region "rg8"',
        fix: "use rg1, rg2 or rg3",
      },
    ]);
  });
});

it("knows a zone in its own region alone", () => {
  const shape = [
    { name: "us", zones: [{ name: "a", nodes: 1 }] },
    { name: "eu", zones: [{ name: "x", nodes: 1 }] },
  ];
  const settings = { replicas: 2, placement: { across: { us: "a", eu: "a" } } };
  expect(compileStream("S", settings, estateOf(shape)).problems).toEqual([
    { path: "streams.S.placement.across.eu", message: 'there is no zone "a"', fix: "use x" },
  ]);
});

describe("rules of the server", () => {
  const complain = (config: Partial<StreamConfig>) =>
    validateConfig({ name: "ORDERS", ...config }).map(({ path, message }) => `${path}: ${message}`);

  it.each([
    [{ name: "my orders" }, 'name: "my orders" can\'t name a stream'],
    [{ name: "a.b" }, 'name: "a.b" can\'t name a stream'],
    [{ name: "a/b" }, 'name: "a/b" can\'t name a stream'],
    [{ name: "" }, 'name: "" can\'t name a stream'],
    [{ name: "x".repeat(256) }, "name: is longer than 255 characters"],
    [{ description: "x".repeat(4_097) }, "description: is longer than 4 KiB"],
    [{ metadata: { a: "x".repeat(131_072) } }, "metadata: is larger than 128 KiB"],
    [{ metadata: { "_nats.level": "5" } }, 'metadata: "_nats.level" is the server\'s own'],
    [{ num_replicas: 0 }, "replicas: a stream can't have 0 replicas"],
    [{ num_replicas: 7 }, "replicas: a stream can't have 7 replicas"],
    [{ max_age: 1_000_000 }, "maxAge: 1ms is less than 100ms"],
    [{ max_age: -1 }, "maxAge: -1ns is less than 100ms"],
    [{ duplicate_window: 1_000_000 }, "duplicateWindow: 1ms is less than 100ms"],
    [
      { max_age: 60 * SECOND, duplicate_window: 120 * SECOND },
      "duplicateWindow: 2m is longer than messages are kept (maxAge 1m)",
    ],
    [{ subject_delete_marker_ttl: SECOND }, "subjectDeleteMarkerTtl: delete markers expire"],
    [{ max_msg_size: 2 ** 31 }, "maxMsgSize: 2147483648 bytes is more than 2147483647"],
    [{ placement: { tags: ["!"] } }, "placement.tags: a blank tag is on no server"],
    [{ subjects: ["a..b"] }, 'subjects: "a..b" is not a subject'],
    [{ subjects: ["a", "a"] }, 'subjects: "a" is listed twice'],
    [{ subjects: ["a.*", "a.b"] }, 'subjects: "a.b" overlaps with "a.*"'],
    [{ subjects: [">"] }, 'subjects: ">" takes every message'],
    [{ subjects: ["$JS.API.x"] }, 'subjects: "$JS.API.x" overlaps with the server\'s own subjects'],
    [{ subjects: ["*.orders"] }, 'subjects: "*.orders" overlaps with the server\'s own subjects'],
    [{ discard_new_per_subject: true }, "discardNewPerSubject: has no limit per subject"],
    [{ deny_purge: true, allow_rollup_hdrs: true }, "allowRollup: a rollup purges"],
    [{ allow_msg_counter: true, discard: "new" }, "allowMsgCounter: excludes discard: new"],
    [{ allow_msg_counter: true, allow_msg_ttl: true }, "allowMsgCounter: excludes allowMsgTtl"],
    [{ allow_msg_counter: true, retention: "interest" }, "allowMsgCounter: excludes retention"],
    [{ allow_msg_schedules: true }, "allowMsgSchedules: a schedule is replaced by rollup"],
    [{ persist_mode: "async", num_replicas: 3 }, "persistMode: excludes more than 1 replica"],
    [{ persist_mode: "async", storage: "memory" }, "persistMode: excludes storage: memory"],
    [{ mirror: { name: "A" }, subjects: ["a"] }, "mirror: excludes subjects"],
    [{ mirror: { name: "A" }, sources: [{ name: "B" }] }, "mirror: excludes sources"],
    [{ mirror: { name: "A" }, first_seq: 5 }, "mirror: excludes firstSequence"],
    [{ mirror: { name: "A" }, duplicate_window: SECOND }, "mirror: excludes duplicateWindow"],
    [{ mirror: { name: "A" }, allow_atomic: true }, "mirror: excludes allowAtomic"],
    [{ mirror_direct: true }, "mirrorDirect: the stream is no mirror"],
    [{ mirror: { name: "ORDERS" } }, "mirror.name: a stream can't mirror itself"],
    [{ mirror: { name: "a.b" } }, 'mirror.name: "a.b" can\'t name a stream'],
    [{ sources: [{ name: "A" }, { name: "A" }] }, 'sources[1]: "A" is listed twice'],
    [
      {
        sources: [
          { name: "A", filter_subject: "a", subject_transforms: [{ src: "b", dest: "c" }] },
        ],
      },
      "sources[0].filterSubject: excludes subjectTransforms",
    ],
    [
      { mirror: { name: "A", consumer: { name: "c", deliver_subject: "d.*" } } },
      'mirror.consumer.deliverSubject: "d.*" is not a subject without wildcards',
    ],
    [
      { subject_transform: { src: "a.>", dest: "b" } },
      'subjectTransform: "a.>" and "b" must both end',
    ],
    [
      { subjects: ["a.>"], republish: { src: "a.>", dest: "a.b.>" } },
      'republish.dest: "a.b.>" comes back into the stream',
    ],
  ] as [Partial<StreamConfig>, string][])("refuse %j", (config, complaint) => {
    expect(complain(config).join("\n")).toContain(complaint);
  });

  it.each([
    { subjects: ["$JS.EVENT.ADVISORY.>"] },
    { subjects: ["$SYS.ACCOUNT.>"] },
    { subjects: [">"], no_ack: true },
    { subjects: ["$JS.API.x"], no_ack: true },
    { num_replicas: 2 },
    { discard: "new", max_msgs_per_subject: 1, discard_new_per_subject: true },
    { subject_delete_marker_ttl: SECOND, allow_msg_ttl: true, allow_rollup_hdrs: true },
    { sources: [{ name: "A" }, { name: "A", filter_subject: "x" }] },
    { mirror: { name: "A", filter_subject: "x.>", opt_start_seq: 5 } },
  ] as Partial<StreamConfig>[])("allow %j", (config) => {
    expect(complain(config)).toEqual([]);
  });

  it("allow what the settings compile to from nothing but sizes and ages", () => {
    const settings = fc.record(
      {
        maxAge: fc.integer({ min: 1, max: 100 }).map((days) => `${days}d`),
        maxMsgs: fc.integer({ min: 1 }),
        maxBytes: fc.integer({ min: 1, max: 512 }).map((size) => `${size}MiB`),
        replicas: fc.integer({ min: 1, max: 5 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(settings, (given) => {
        expect(compile("S", given).problems).toEqual([]);
      }),
    );
  });
});

describe("streams side by side", () => {
  it("may not take the same message", () => {
    expect(
      findOverlaps([
        { key: "A", account: "APP", subjects: ["a.*", "x"] },
        { key: "B", account: "APP", subjects: ["b", "a.>"] },
        { key: "C", account: "APP", subjects: ["c"] },
        { key: "D", account: "ELSE", subjects: ["x"] },
      ]),
    ).toEqual([
      {
        path: "streams.B.subjects",
        message: '"a.>" overlaps with "a.*" of stream A',
        fix: "a subject belongs to one stream; narrow one of them",
      },
    ]);
  });
});
