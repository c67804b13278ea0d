import { describe, expect, test } from "vitest";
import { peerId } from "../../../lib/observed/meta-group.ts";
import type { NodeReport } from "../../../lib/observed/readiness.ts";
import {
  judgeMembers,
  judgeReplicas,
  WaveGate,
  type WaveObservation,
  type WaveStatus,
} from "../../../lib/update/wave-gate.ts";
import { clusterWith, streamOn } from "../../support/observed.ts";

const MINUTE = 60_000;
const CALM = { isInVain: false, isLeaderless: false, isRejoining: false };
const lacking = (reason: string, more: Partial<WaveStatus> = {}): WaveStatus => ({
  ...CALM,
  reason,
  ...more,
});

/** What a gate decides at looks so many milliseconds after its start. */
function decide(
  looks: readonly (readonly [at: number, status: WaveStatus])[],
  isOneEnough = false,
) {
  const gate = new WaveGate(0, 2 * MINUTE, isOneEnough);
  return looks.map(([at, status]) => gate.judge(status, at));
}

describe("the gate behind a wave", () => {
  test("opens once all is well twice, two seconds apart; without streams at once", () => {
    const [first, second] = decide([
      [0, CALM],
      [2_000, CALM],
    ]);
    expect(first).toEqual({ kind: "wait", milliseconds: 2_000 });
    expect(second).toEqual({ kind: "open" });
    expect(decide([[0, CALM]], true)).toEqual([{ kind: "open" }]);
    const starting = lacking("no meta leader yet on a");
    expect(
      decide(
        [
          [0, starting],
          [250, CALM],
        ],
        true,
      ),
    ).toEqual([{ kind: "wait", milliseconds: 250 }, { kind: "open" }]);
  });

  test("doesn't open where it was well but for a moment", () => {
    const kinds = decide([
      [0, CALM],
      [2_000, lacking("stream S waits for a")],
      [2_250, CALM],
    ]).map(({ kind }) => kind);
    expect(kinds).toEqual(["wait", "wait", "wait"]);
  });

  test("waits for replicas that catch up for hours, and says in the end that nothing moved", () => {
    const status = (behind: number) => lacking("stream S waits for a", { behind });
    const looks = Array.from({ length: 120 }, (_, index) => index).map(
      (minute) => [minute * MINUTE, status(10_000 - minute)] as const,
    );
    const verdicts = decide([...looks, [122 * MINUTE, status(9_881)]]);
    expect(verdicts.slice(0, -1).every(({ kind }) => kind === "wait")).toBe(true);
    expect(verdicts.at(-1)).toEqual({
      kind: "shut",
      word: "The cluster isn't ready, and nothing has moved for 120 s: stream S waits for a; 9,881 messages and operations to go, and it goes on as long as they get fewer",
    });
  });

  test("gives up what flaps", () => {
    const looks = Array.from({ length: 100 }, (_, index) => index).map(
      (second) => [second * 2_000, second % 2 ? CALM : lacking("stream S waits for a")] as const,
    );
    expect(decide(looks).find(({ kind }) => kind !== "wait")?.kind).toBe("shut");
  });

  test("opens where only later nodes can help, at once or once there has never been a leader", () => {
    expect(decide([[0, lacking("no meta leader yet on a", { isInVain: true })]])[0]).toEqual({
      kind: "open",
      word: "no meta leader yet on a; going on, as the nodes that are missing come next",
    });
    const headless = lacking("no meta leader yet on a", { isLeaderless: true });
    expect(
      decide([
        [0, headless],
        [29_000, headless],
        [31_000, headless],
      ]).map(({ kind }) => kind),
    ).toEqual(["wait", "wait", "open"]);
  });

  test("gives nodes that have to be taken back into the meta group their six minutes", () => {
    const status = lacking("c is no member of the meta group yet", { isRejoining: true });
    const [, late, last] = decide([
      [0, status],
      [6 * MINUTE - 1, status],
      [6 * MINUTE + 1, status],
    ]);
    expect([late?.kind, last?.kind]).toEqual(["wait", "shut"]);
  });
});

const NAMES = ["a", "b", "c"];
const report = (name: string, health = ""): NodeReport => ({
  name,
  metaLeader: "a",
  metaSize: 3,
  health,
  peers: NAMES.filter((peer) => peer !== name).map((peer) => ({
    id: peerId(peer),
    name: peer,
    well: true,
  })),
});
const looked = (change: Partial<WaveObservation>): WaveObservation => ({
  reports: NAMES.map((name) => report(name)),
  later: [],
  running: new Set(NAMES),
  lacked: new Set(),
  ...change,
});

describe("nodes at a gate", () => {
  const [a, b, c] = [report("a"), report("b"), report("c")] as const;
  const COMPLAINT = "JetStream stream 'APP > LOOSE' is not current: stream assignment error";

  test("are ready where each is well", () => {
    expect(judgeMembers(looked({}))).toEqual(CALM);
  });

  test("may complain of what they lacked before, and of nothing else", () => {
    const reports = [a, b, report("c", COMPLAINT)];
    const reason = (...lacked: string[]) =>
      judgeMembers(looked({ reports, lacked: new Set(lacked) })).reason;
    expect(reason()).toBe(`c: ${COMPLAINT}`);
    expect(reason("APP > stream LOOSE: c")).toBeUndefined();
    expect(reason("APP > stream LOOSE: b", "APP > stream LOO: c")).toBe(`c: ${COMPLAINT}`);
    expect(reason("OTHER > stream LOOSE: c")).toBe(`c: ${COMPLAINT}`);
  });

  test("wait in vain where most come later, unless those run already", () => {
    const change = { reports: [{ name: "a" }], later: [{ name: "b" }, { name: "c" }] };
    expect(judgeMembers(looked({ ...change, running: new Set(["a"]) })).isInVain).toBe(true);
    expect(judgeMembers(looked(change)).isInVain).toBe(false);
    expect(judgeMembers(looked({ reports: [a], later: [b, c] })).reason).toBeUndefined();
  });
});

describe("streams at a gate", () => {
  const HOSTS = ["rg1-az1", "rg1-az2", "rg1-az3"];

  test("wait for each replica but those that weren't well before", () => {
    const ill = clusterWith([streamOn("S", HOSTS, { ill: ["rg1-az3"] })]);
    expect(judgeReplicas(ill, true)).toBe("stream S waits for rg1-az3");
    expect(judgeReplicas(ill, true, new Set(["APP > stream S: rg1-az3"]))).toBeUndefined();
  });

  test("aren't well where a replica stores nothing more, though it calls itself current", () => {
    expect(judgeReplicas(clusterWith([streamOn("S", HOSTS)], { full: ["rg1-az1"] }), true)).toBe(
      "rg1-az1 holds more than its maxFileStore, and stores nothing more of stream S",
    );
  });

  test("are unknown where a node doesn't answer", () => {
    const silent = clusterWith([], { silent: ["rg1-az1"] });
    expect(judgeReplicas(silent, false)).toBe("no answer from rg1-az1");
  });
});
