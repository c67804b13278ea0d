import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { nodesIn, reportOn } from "../../../../cli/inspection/cluster-report.ts";
import { renderMap } from "../../../../cli/inspection/map-view.ts";
import type { NodeAnswer, StreamSighting } from "../../../../cli/inspection/observe.ts";
import type { ClusterPlan } from "../../../../lib/plan/plan.ts";
import {
  NOW,
  observationsOf,
  outputsOf,
  planOf,
  reportOf,
} from "../../../support/cluster-report.ts";

const orders = (placement: object, replicas = 3) => ({
  streams: { ORDERS: { subjects: ["orders.*"], placement, replicas } },
});
const seed = planOf(orders({ region: "rg2" }));

/** The answers of a cluster in which every node sees the stream as changed. */
function seeing(plan: ClusterPlan, change: Partial<StreamSighting>): Map<string, NodeAnswer> {
  return mapAnswers(observationsOf(plan), (answer) => ({
    ...answer,
    streams: answer.streams.map((stream) => ({ ...stream, ...change })),
  }));
}

function mapAnswers(
  answers: ReadonlyMap<string, NodeAnswer>,
  change: (answer: NodeAnswer, name: string) => NodeAnswer,
): Map<string, NodeAnswer> {
  return new Map([...answers].map(([name, answer]) => [name, change(answer, name)]));
}

const follower = (name: string) => ({
  name,
  current: true,
  offline: false,
  pending: false,
  lag: 0,
});

describe("reportOn", () => {
  test("finds nothing wrong with a cluster as planned", () => {
    const report = reportOf(seed);
    expect(report).toMatchObject({ ok: true, metaLeader: "rg3-az3", problems: [] });
    expect(report.streams).toMatchObject([
      { name: "ORDERS", verdict: "in place", leader: "rg2-az1", messages: 1234 },
    ]);
  });

  test("tells streams of one name in two accounts from each other", () => {
    const one = { subjects: ["orders.*"], placement: { region: "rg2" }, replicas: 3 };
    const plan = planOf({
      accounts: { BILLING: {} },
      streams: { ORDERS: one, BILLS: { ...one, stream: "ORDERS", account: "BILLING" } },
    });
    const report = reportOf(plan);
    expect(report.problems).toEqual([]);
    expect(report.streams).toMatchObject([
      { name: "ORDERS", account: "APP", verdict: "in place" },
      { name: "ORDERS", account: "BILLING", verdict: "in place" },
    ]);
    expect(renderMap(report, { width: 80, colors: pc.createColors(false) })).toMatch(
      /★ ORDERS \(APP\)[\s\S]*★ ORDERS \(BILLING\)/,
    );
    const gone = mapAnswers(observationsOf(plan), (answer) => ({
      ...answer,
      streams: answer.streams.filter(({ account }) => account !== "BILLING"),
    }));
    expect(reportOf(plan, gone)).toMatchObject({
      streams: [{ verdict: "in place" }, { account: "BILLING", verdict: "missing" }],
      problems: ["ORDERS (BILLING): no node that answers knows this stream."],
    });
  });

  test("says what takes no more messages, though all of its streams are in place", () => {
    const answers = mapAnswers(observationsOf(seed), (answer, name) => ({
      ...answer,
      accounts: [
        { name: "APP", file: { limit: 50 * 1024 ** 2, used: 86 * 1024 ** 2 }, memory: { used: 0 } },
      ],
      room: {
        ...answer.room,
        ...(name === "rg2-az1" ? { memory: { max: 1024, reserved: 0, used: 2048 } } : {}),
      },
    }));
    expect(reportOf(seed, answers).problems).toEqual([
      "Account APP stores 86.0 MiB of the 50MiB that it may (maxFileStore), and takes no more messages.",
      "rg2-az1: its memory store is full: 2.0 KiB of 1KiB.",
    ]);
  });

  test("takes the leader's view of a stream, as only that is right", () => {
    const answers = mapAnswers(observationsOf(seed), (answer, name) => ({
      ...answer,
      streams: answer.streams.map((stream) =>
        name === stream.leader
          ? stream
          : { ...stream, followers: stream.followers.map((peer) => ({ ...peer, current: false })) },
      ),
    }));
    expect(reportOf(seed, answers).streams[0]?.verdict).toBe("in place");
  });

  test("tells streams of the same name in two accounts apart", () => {
    const settings = orders({ region: "rg2" });
    const plan = planOf({ ...settings, accounts: { BILLING: {} } });
    const answers = mapAnswers(observationsOf(plan), (answer) => ({
      ...answer,
      streams: answer.streams.flatMap((stream) => [
        { ...stream, account: "BILLING", messages: 7 },
        stream,
        { ...stream, account: "ELSEWHERE" },
      ]),
    }));
    expect(reportOf(plan, answers).streams).toMatchObject([
      { name: "ORDERS", account: "APP", verdict: "in place", messages: 1234 },
      { name: "ORDERS", account: "BILLING", verdict: "foreign", messages: 7 },
    ]);
  });

  test.each<[string, Partial<StreamSighting>, string]>([
    ["leaderless", { leader: "" }, "ORDERS: no leader, as too few"],
    ["moving", { change: "adding rg2-az3" }, "ORDERS: still moving: adding rg2-az3."],
    [
      "misplaced",
      { followers: [follower("rg2-az2"), follower("rg1-az3")] },
      "ORDERS: on rg1-az3, but rg:2 means rg2-az1, rg2-az2, rg2-az3. `npx pulumi up --refresh` puts that right.",
    ],
    ["behind", { followers: [follower("rg2-az2")] }, "ORDERS: 2 of 3 replicas have a server."],
    [
      "behind",
      { followers: [follower("rg2-az2"), { ...follower("rg2-az3"), current: false, lag: 12 }] },
      "ORDERS: the replica on rg2-az3 is 12 operations behind.",
    ],
    [
      "starved",
      { origins: [{ name: "ORDRES", lag: 0, active: -1 }] },
      "ORDERS: it has never heard of ORDRES",
    ],
  ])("calls a stream %s", (verdict, change, problem) => {
    const report = reportOf(seed, seeing(seed, change));
    expect(report.ok).toBe(false);
    expect(report.streams[0]?.verdict).toBe(verdict);
    expect(report.problems.join("\n")).toContain(problem);
  });

  test("sees replicas that share a zone although the tags allow each of them", () => {
    const plan = planOf({ ...orders({ region: "rg2" }), nodesPerZone: 2 });
    const followers = [follower("rg2-az1-2"), follower("rg2-az2")];
    const report = reportOf(plan, seeing(plan, { followers }));
    expect(report.streams[0]?.verdict).toBe("misplaced");
    expect(report.problems[0]).toContain(
      'on rg2-az1 and rg2-az1-2, which have the same "az:" tag: `npx pulumi up --refresh` takes them apart',
    );
  });

  test("doesn't believe in replicas on nodes that are silent", () => {
    const answers = observationsOf(seed);
    answers.delete("rg2-az2");
    const report = reportOf(seed, answers);
    expect(report.streams[0]?.verdict).toBe("behind");
    expect(report.problems).toEqual([
      "No answer from rg2-az2 (nats://127.0.0.1:4226). `npx pulumi up --refresh` starts what has stopped.",
      "ORDERS: the replica on rg2-az2 is not current.",
    ]);
  });

  test("reports two meta groups, and what a node complains about", () => {
    const answers = mapAnswers(observationsOf(seed), (answer, name) => ({
      ...answer,
      metaLeader: name.startsWith("rg1") ? "rg1-az1" : "rg3-az3",
      health: name === "rg1-az2" ? "JetStream is not current" : "",
    }));
    const report = reportOf(seed, answers);
    expect(report.problems).toEqual([
      "Meta group: more than one meta group, led by rg1-az1 and rg3-az3.",
      "rg1-az2: JetStream is not current.",
    ]);
    expect(nodesIn(report).find(({ name }) => name === "rg1-az2")?.state).toBe("unwell");
  });

  test("knows missing streams from foreign ones", () => {
    const found = observationsOf(planOf({ streams: { OTHER: { replicas: 1 } } }));
    const report = reportOf(seed, found);
    expect(report.streams.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["ORDERS", "missing"],
      ["OTHER", "foreign"],
    ]);
    expect(report.problems).toEqual(["ORDERS: no node that answers knows this stream."]);
  });

  test.each([
    ["stack", "renews what is due"],
    ["files", "loads others that are put into the files"],
  ])("tells of certificates that are about to expire, with tls: %s", (tls, remedy) => {
    const tlsFiles = { ca: "ca", cert: "cert", key: "key" };
    const secure = planOf({
      ...orders({ region: "rg2" }),
      ...(tls === "files" ? { tlsFiles } : { tls }),
    });
    const days = (count: number) => new Date(NOW + count * 86_400_000).toISOString();
    const answers = mapAnswers(observationsOf(secure), (answer, name) => ({
      ...answer,
      certificateUntil: days(name.startsWith("rg3") ? 12 : 40),
    }));
    expect(reportOf(secure, answers).problems).toEqual([
      `The certificate of rg3-az1, rg3-az2, rg3-az3 expires in 12 days: \`npx pulumi up\` ${remedy}.`,
    ]);
  });

  test.each([
    ["stack", "renews what is due"],
    ["files", "loads others that are put into the files"],
    [
      "settings that are in error",
      "renews what is due, or loads others that are put into the files",
    ],
  ])(
    "tells nodes whose certificate has expired from those that don't run, with %s",
    (tls, remedy) => {
      const tlsFiles = { ca: "ca", cert: "cert", key: "key" };
      const secure = planOf({
        ...orders({ region: "rg2" }),
        ...(tls === "files" ? { tlsFiles } : { tls: "stack" }),
      });
      const observations = [...observationsOf(secure)].map(([name, answer]) => {
        if (name === "rg1-az1") return { name };
        return name.startsWith("rg3") ? { name, hasExpired: true as const } : { name, answer };
      });
      const report = reportOn({
        stack: "dev",
        stackOption: "",
        outputs: outputsOf(secure),
        observations,
        now: NOW,
        ...(tls === "stack" || tls === "files" ? { plan: secure } : {}),
      });
      expect(report.problems).toEqual([
        "No answer from rg1-az1 (nats://127.0.0.1:4222). `npx pulumi up --refresh` starts what has stopped.",
        `The certificate of rg3-az1, rg3-az2, rg3-az3 has expired: \`npx pulumi up\` ${remedy}.`,
      ]);
      const states = new Map(nodesIn(report).map(({ name, state }) => [name, state]));
      expect(["rg1-az1", "rg2-az1", "rg3-az1"].map((name) => states.get(name))).toEqual([
        "down",
        "up",
        "unwell",
      ]);
    },
  );

  test("shows nodes that the settings have and the cluster hasn't, and the other way round", () => {
    const grown = planOf({ regions: ["rg1", "rg2", "rg4"] });
    const observations = [...observationsOf(seed)].map(([name, answer]) => ({ name, answer }));
    const outputs = outputsOf(seed);
    const { regions, ok } = reportOn({
      stack: "dev",
      stackOption: "",
      outputs,
      observations,
      plan: grown,
      now: NOW,
    });
    const states = regions.map(({ name, zones }) => [name, zones[0]?.nodes[0]?.state]);
    expect(ok).toBe(true);
    expect(states).toEqual([
      ["rg1", "up"],
      ["rg2", "up"],
      ["rg4", "planned"],
      ["rg:3", "up"],
    ]);
  });

  test("arranges nodes by their own tags where the settings are in error", () => {
    const observations = [...observationsOf(seed)].map(([name, answer]) => ({ name, answer }));
    const input = { stack: "dev", stackOption: "", outputs: outputsOf(seed), now: NOW };
    const { regions, streams } = reportOn({ ...input, observations });
    expect(regions.map(({ name }) => name)).toEqual(["rg:1", "rg:2", "rg:3"]);
    expect(streams[0]?.verdict).toBe("in place");
  });
});
