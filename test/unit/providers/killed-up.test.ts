import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { digestConfig } from "../../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import type { Roster, RosterNote } from "../../../lib/update/remembered-streams.ts";
import { JetStreamUnavailable } from "../../../live/jetstream/jetstream.ts";
import { rosterNotes } from "../../../providers/process/roster-note.ts";
import { Handovers } from "../../../providers/streams/handovers.ts";
import { rosterLifecycle } from "../../../providers/streams/roster-lifecycle.ts";
import type { ProgramInputs } from "../../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../../providers/streams/stream-lifecycle.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const configOf = (name: string, change: Partial<StreamConfig> = {}): StreamConfig => ({
  name,
  subjects: [`${name}.>`],
  num_replicas: 3,
  placement: { tags: ["rg:2"] },
  ...change,
});

/** FakeJetStream's streams are made at noon. */
const BEFORE = "2026-01-31T11:59:00Z";
const AFTER = "2026-01-31T12:01:00Z";

let jetStream: FakeJetStream;
let note: RosterNote | undefined;
let said: string[];
/** Whether the state is written once. */
let isOnce: boolean;

beforeEach(() => {
  isOnce = true;
  jetStream = new FakeJetStream(SEED_FLEET);
  note = undefined;
  said = [];
  vi.spyOn(console, "error").mockImplementation((line) => void said.push(line));
});
afterEach(() => vi.restoreAllMocks());

/** The providers of one run of the CLI. */
function run() {
  const handovers = new Handovers(50);
  const notes = {
    read: () => note,
    write: (written: RosterNote) => {
      note = written;
    },
    areAllThereIs: () => isOnce,
  };
  const options = { patience: 5_000, pause: 1, silence: 50, say: () => undefined, handovers };
  return {
    roster: rosterLifecycle(() => jetStream, handovers, notes),
    streams: streamLifecycle(() => jetStream, options),
  };
}

function rosterOf(...configs: readonly StreamConfig[]): Roster {
  const begun = Object.fromEntries(configs.map((config) => [config.name, digestConfig(config)]));
  const streams = Object.fromEntries(configs.map(({ name }) => [name, {}]));
  return { account: "APP", streams, begun };
}

const programOf = (config: StreamConfig): ProgramInputs => ({
  stream: config.name,
  account: "APP",
  config,
  policy: {},
  fleet: SEED_FLEET,
});

/** An `up` that is killed once it has made its streams, before the state has any of it. */
async function killedUp(state: Roster | undefined, ...configs: readonly StreamConfig[]) {
  const { roster } = run();
  const { inputs } = await roster.check(state ?? {}, rosterOf(...configs));
  await (state ? roster.update("APP", state, inputs as Roster) : roster.create(inputs as Roster));
  for (const config of configs) await jetStream.create(config);
  if (note) note = { ...note, at: BEFORE };
}

const A = configOf("A");
const B = configOf("B");
const STATE = rosterOf(A);

describe("an up that was killed before the state was written", () => {
  it.each([[STATE], [undefined]])(
    "has its streams deleted that are in the settings no more",
    async (state) => {
      await killedUp(state, A, B);
      const { roster } = run();
      const { inputs, failures } = await roster.check(state ?? {}, rosterOf(A));
      expect(failures).toEqual([]);
      expect(said.join()).toContain("in the settings no more: B; they are deleted");
      expect(await roster.diff("APP", state ?? STATE, inputs as Roster)).toEqual({ changes: true });

      const outs = state
        ? (await roster.update("APP", state, inputs as Roster)).outs
        : (await roster.create(inputs as Roster)).outs;
      expect(outs).not.toHaveProperty("orphans");
      expect([...jetStream.streams.keys()]).toEqual(["A"]);
    },
  );

  it("keeps such a stream if it holds messages, and says so", async () => {
    await killedUp(STATE, A, B);
    const stream = jetStream.streams.get("B");
    if (stream) stream.messages = 3;
    const { failures } = await run().roster.check(STATE, rosterOf(A));
    expect(failures?.map(({ reason }) => reason).join()).toMatch(/stream B .* holds 3 messages/);
  });

  it("has them deleted by a later one, too, if that one is killed as well", async () => {
    await killedUp(STATE, A, B);
    const { roster } = run();
    const { inputs } = await roster.check(STATE, rosterOf(A, configOf("C")));
    jetStream.failures.push(new Error("the server is gone"));
    await expect(roster.update("APP", STATE, inputs as Roster)).rejects.toThrow();
    if (note) note = { ...note, at: BEFORE };

    const third = run().roster;
    const again = await third.check(STATE, rosterOf(A));
    await third.update("APP", STATE, again.inputs as Roster);
    expect([...jetStream.streams.keys()]).toEqual(["A"]);
  });

  it("has them deleted by a later one if the servers aren't ready yet", async () => {
    await killedUp(STATE, A, B);
    const { roster } = run();
    const { inputs } = await roster.check(STATE, rosterOf(A));
    jetStream.failures.push(new JetStreamUnavailable("no answer"));
    await roster.update("APP", STATE, inputs as Roster);
    expect([...jetStream.streams.keys()]).toEqual(["A", "B"]);

    const next = run().roster;
    const again = await next.check(inputs as Roster, rosterOf(A));
    await next.update("APP", inputs as Roster, again.inputs as Roster);
    expect([...jetStream.streams.keys()]).toEqual(["A"]);
    const { inputs: last } = await run().roster.check(again.inputs as Roster, rosterOf(A));
    expect(last).not.toHaveProperty("orphans");
  });

  it("has its streams known after another one that was killed long after", async () => {
    await killedUp(STATE, A, B);
    const { roster } = run();
    const { inputs } = await roster.check(STATE, rosterOf(A, B));
    await roster.update("APP", STATE, inputs as Roster);
    const { inputs: third } = await run().roster.check(STATE, rosterOf(A));
    expect(third).toHaveProperty("orphans.B");
  });

  it("has its streams taken up with other settings", async () => {
    await killedUp(STATE, A, B);
    const changed = configOf("B", { max_age: 60_000_000_000 });
    const { roster, streams } = run();
    await roster.check(STATE, rosterOf(A, changed));
    const { inputs, failures } = await streams.check({}, programOf(changed));
    expect(failures).toEqual([]);
    await streams.create(inputs);
    expect(jetStream.streams.get("B")?.config.max_age).toBe(60_000_000_000);
  });

  it("has its changes taken back if the settings are", async () => {
    await killedUp(STATE, A);
    await jetStream.update(configOf("A", { max_age: 60_000_000_000 }));
    if (note) note = { ...note, to: rosterOf(configOf("A", { max_age: 60_000_000_000 })) };
    const { roster, streams } = run();
    await roster.check(STATE, rosterOf(A));
    const { fleet: _, ...known } = programOf(A);
    const state = { ...known, hosts: ["rg2-az1", "rg2-az2", "rg2-az3"] };
    const { inputs } = await streams.check(state, programOf(A));
    expect(inputs).toMatchObject({ unfinished: true });
  });

  it("has noted changes of streams that are in the state", async () => {
    const changed = rosterOf(configOf("A", { max_age: 60_000_000_000 }));
    expect(await run().roster.diff("APP", STATE, changed)).toEqual({ changes: true });
    isOnce = false;
    expect(await run().roster.diff("APP", STATE, changed)).toEqual({ changes: false });
  });

  it("leaves alone the streams of those names that were there before", async () => {
    await killedUp(STATE, A, B);
    if (note) note = { ...note, at: AFTER };
    const { roster } = run();
    const { inputs } = await roster.check(STATE, rosterOf(A));
    expect(inputs).not.toHaveProperty("orphans");

    const changed = configOf("B", { max_age: 60_000_000_000 });
    const { roster: next, streams } = run();
    await next.check(STATE, rosterOf(A, changed));
    const { failures } = await streams.check({}, programOf(changed));
    expect(failures?.map(({ reason }) => reason).join()).toContain("exists in account APP already");
  });
});

it("A note counts only for the state that its up has found", async () => {
  await killedUp(STATE, A, B);
  const { inputs } = await run().roster.check(rosterOf(A, configOf("C")), rosterOf(A));
  expect(inputs).not.toHaveProperty("orphans");
  expect([...jetStream.streams.keys()]).toEqual(["A", "B"]);
});

describe("the file of notes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
    vi.stubEnv("NATS_REGIONS_ROSTER_NOTE", path.join(folder, "note"));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it("gives back what was written, or nothing", () => {
    expect(rosterNotes.read()).toBe(undefined);
    const written = { from: STATE, to: rosterOf(A, B), at: BEFORE };
    rosterNotes.write(written);
    expect(rosterNotes.read()).toEqual(written);
  });

  it("is not passed over if it can't be read", () => {
    writeFileSync(path.join(folder, "note"), "{");
    expect(() => rosterNotes.read()).toThrow("tells which streams a killed up has made");
  });

  it("isn't there without the variable", () => {
    vi.stubEnv("NATS_REGIONS_ROSTER_NOTE", undefined);
    rosterNotes.write({ to: STATE, at: BEFORE });
    expect(rosterNotes.read()).toBe(undefined);
  });
});
