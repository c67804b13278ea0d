import { once } from "node:events";
import { createServer, type Server } from "node:http";
import pc from "picocolors";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../../cli/commands.ts";
import { type DrillPlan, planDrill, refuseDataLoss } from "../../../../cli/drill/drill-plan.ts";
import { reportOnDrill } from "../../../../cli/drill/drill-report.ts";
import { renderDrill, renderDrillPlan } from "../../../../cli/drill/drill-view.ts";
import { findLoss, type Observations } from "../../../../cli/drill/forecast.ts";
import { look } from "../../../../cli/drill/pages.ts";
import { chooseLoss } from "../../../../cli/drill/scene.ts";
import { lossesOf } from "../../../../lib/placement/survivability.ts";
import { nodesOf } from "../../../../lib/plan/plan.ts";
import { streamKey } from "../../../../lib/streams/stream-name.ts";
import { planOf } from "../../../support/cluster-report.ts";
import { SEED_SETTINGS } from "../../../support/stack.ts";

const PLAN = planOf(SEED_SETTINGS);
const NAMES = nodesOf(PLAN).map(({ name }) => name);
const WELL = { hasMajority: true, isComplete: true, isChanging: false, volatileMessages: 0 };

const ledOn = (name: string, ...hosts: string[]) => ({
  account: "APP",
  name,
  leader: hosts[0] ?? "",
  hosts,
  ...WELL,
});

/** The seed's cluster, with streams where it has them. */
const LOOK = {
  metaGroup: { ...ledOn("meta group", ...NAMES), account: "" },
  streams: new Map(
    [
      ledOn("ORDERS", "rg2-az1", "rg2-az2", "rg2-az3"),
      ledOn("EVENTS", "rg2-az2", "rg1-az1", "rg3-az3"),
    ].map((stream) => [streamKey(stream), stream]),
  ),
};

const OTHER = { ...ledOn("ORDERS", "rg2-az1"), account: "BILLING" };
/** With a stream of the same name in another account, which the settings don't have. */
const SHARED = { ...LOOK, streams: new Map([...LOOK.streams, [streamKey(OTHER), OTHER]]) };

function drillOf(name: string, look = LOOK): DrillPlan {
  const loss = findLoss("region", name, lossesOf(nodesOf(PLAN)));
  if (!loss) throw new Error(`no region ${name}`);
  return planDrill(PLAN, look, { stack: "dev", loss, how: "kill", duration: 20_000 });
}

const TIMES = Array.from({ length: 96 }, (_, index) => (index + 1) * 250);
const without = (from: number, to: number) => TIMES.filter((at) => at <= from || at >= to);

/** As it goes: EVENTS elects another leader, ORDERS is lost. */
const COURSES: Readonly<Record<string, Observations>> = {
  EVENTS: { agreements: without(500, 5_000), majorities: without(500, 5_500), complete: [22_100] },
  ORDERS: {
    agreements: without(250, 22_300),
    majorities: without(250, 22_500),
    complete: [23_000],
  },
  "meta group": { agreements: [], majorities: without(500, 4_000), complete: [22_000] },
};

const RECORD = {
  observationsOf: ({ name }: { readonly name: string }) =>
    COURSES[name] ?? { agreements: [], majorities: [], complete: [] },
  isAsked: () => true,
  stranded: [],
  limit: 60_000,
  restoring: 20_000,
  end: 23_600,
};

const canvas = { width: 80, colors: pc.createColors(false) };
const render = (...args: Parameters<typeof reportOnDrill>) =>
  `\n${renderDrill(reportOnDrill(...args), canvas)}\n`;

describe("a drill's plan", () => {
  test("says what is expected", () => {
    expect(`\n${renderDrillPlan(drillOf("rg2"), canvas)}\n`).toMatchInlineSnapshot(`
      "
      This kills region rg2 of stack dev for 20s, and brings it back. Expected:
        nodes           rg2-az1, rg2-az2, rg2-az3
        stay writable   EVENTS
        lost meanwhile  ORDERS
        meta group      keeps its majority: 6 of its 9 servers stay
      "
    `);
  });

  test("has the streams of other accounts watched, but not asked", () => {
    const other = { ...ledOn("OTHER", "rg2-az1"), account: "BILLING" };
    const streams = new Map([...LOOK.streams, [streamKey(other), other]]);
    const { streams: forecasts, sampling } = drillOf("rg2", { ...LOOK, streams });
    expect(forecasts.map(({ name }) => name)).toEqual(["EVENTS", "ORDERS", "OTHER"]);
    expect(sampling.groups.map(({ name }) => name)).toEqual(["EVENTS", "ORDERS"]);
  });

  test("tells streams of two accounts apart", () => {
    expect(renderDrillPlan(drillOf("rg2", SHARED), canvas)).toContain(
      "stay writable   EVENTS (APP)\n  lost meanwhile  ORDERS (APP), ORDERS (BILLING)\n",
    );
  });
});

describe("messages in memory", () => {
  const withMessages = (volatileMessages: number, ...hosts: string[]) => ({
    streams: new Map([["APP ORDERS", { ...ledOn("ORDERS", ...hosts), volatileMessages }]]),
  });
  const refusal = (look: ReturnType<typeof withMessages>, how: "kill" | "pause" = "kill") => {
    const plan = { ...drillOf("rg2", { ...LOOK, ...look }), how };
    return () => refuseDataLoss(plan, look);
  };

  test("that would be gone with a majority bar the way", () => {
    expect(refusal(withMessages(1_204, "rg2-az1"))).toThrow(
      "gone for good: 1,204 messages of ORDERS. Use --how pause",
    );
  });

  test("don't, where none are lost", () => {
    expect(refusal(withMessages(0, "rg2-az1"))).not.toThrow();
    expect(refusal(withMessages(5, "rg2-az1", "rg1-az2", "rg3-az3"))).not.toThrow();
    expect(refusal(withMessages(5, "rg2-az1"), "pause")).not.toThrow();
  });
});

describe("a drill's report", () => {
  test("shows that all went as expected", () => {
    const report = reportOnDrill(drillOf("rg2"), RECORD);
    expect(report).toMatchObject({ ok: true, problems: [], notices: [], wellAfter: 3_600 });
    expect(render(drillOf("rg2"), RECORD)).toMatchInlineSnapshot(`
      "
      ✓ stack dev · region rg2 killed for 20s · as expected · all well 3.6 s after
                    restoring

      group       down    expected  seen      longest gap  back after  current after
      EVENTS      1 of 3  writable  writable        4.5 s                      2.1 s
      ORDERS      3 of 3  lost      lost           22.3 s       2.5 s          3.0 s
      meta group  3 of 9  writable  writable        3.5 s                      2.0 s
      "
    `);
  });

  // A planner that took ORDERS for safe, and EVENTS for lost.
  test("is not ok where the prediction was wrong", () => {
    const { streams, ...plan } = drillOf("rg2");
    const wrong = streams.map((stream) => ({
      ...stream,
      expected: stream.expected === "lost" ? ("survives" as const) : ("lost" as const),
    }));
    const report = reportOnDrill({ ...plan, streams: wrong }, RECORD);
    expect(report.ok).toBe(false);
    expect(render({ ...plan, streams: wrong }, RECORD)).toMatchInlineSnapshot(`
      "
      ✗ stack dev · region rg2 killed for 20s · not as expected · all well 3.6 s after
                    restoring

      group       down    expected  seen      longest gap  back after  current after
      EVENTS      1 of 3  lost      writable        4.5 s                      2.1 s
      ORDERS      3 of 3  writable  lost           22.3 s       2.5 s          3.0 s
      meta group  3 of 9  writable  writable        3.5 s                      2.0 s

      ✗ EVENTS: should not have been writable, with 2 of its 3 replicas up, but was
      ✗ ORDERS: should have stayed writable, with 0 of its 3 replicas up, but did not
      ! EVENTS: by the settings it would stay writable; its replicas are elsewhere
      ! ORDERS: by the settings it would be lost; its replicas are elsewhere
      "
    `);
  });

  test("is not ok where a node could not be brought back, or the cluster isn't well", () => {
    const stranded = ["nats-regions-dev-rg2-az1 could not be brought back: port is taken"];
    const lack = "no answer from rg2-az1";
    const { ok, problems, wellAfter } = reportOnDrill(drillOf("rg2"), {
      ...RECORD,
      stranded,
      lack,
    });
    expect(ok).toBe(false);
    expect(problems).toEqual([...stranded, "60 s after restoring: no answer from rg2-az1"]);
    expect(wellAfter).toBeUndefined();
  });

  test("judges streams by their leaders' pages while the API has no meta leader", () => {
    const lost = { agreements: [], majorities: without(500, 21_000), complete: [22_000] };
    const deaf = { ...COURSES.EVENTS, agreements: without(500, 21_500) };
    const observations: typeof COURSES = {
      ...COURSES,
      "meta group": lost,
      EVENTS: { ...lost, ...deaf },
    };
    const observationsOf = ({ name }: { readonly name: string }) => observations[name] ?? lost;
    const { streams, notices } = reportOnDrill(drillOf("rg2"), { ...RECORD, observationsOf });
    expect(streams[0]).toMatchObject({ name: "EVENTS", probe: "pages", observed: "survives" });
    expect(notices).toEqual([
      "2 streams could not be asked to agree on anything, and are judged by their leaders' pages",
    ]);
  });

  test("tells streams of two accounts apart", () => {
    const lost = { agreements: [], majorities: [], complete: [] };
    const observationsOf = (group: { readonly account: string; readonly name: string }) =>
      (group.account === "BILLING" ? undefined : COURSES[group.name]) ?? lost;
    const text = render(drillOf("rg2", SHARED), { ...RECORD, observationsOf });
    expect(text).toContain("ORDERS (APP)      3 of 3");
    expect(text).toContain("ORDERS (BILLING)  1 of 1");
    expect(text).toContain("meta group        3 of 9");
    expect(text).toContain("✗ ORDERS (BILLING): was not writable again within 60 s");
    expect(text).not.toContain("✗ ORDERS (APP)");
  });

  test("counts what has nothing to do with it, where there is much of that", () => {
    const far = Array.from({ length: 40 }, (_, index) => ledOn(`FAR${index}`, "rg3-az1"));
    const streams = new Map([
      ...LOOK.streams,
      ...far.map((each) => [streamKey(each), each] as const),
    ]);
    const all = { agreements: TIMES, majorities: TIMES, complete: [22_000] };
    const observationsOf = ({ name }: { readonly name: string }) => COURSES[name] ?? all;
    const text = render(drillOf("rg2", { ...LOOK, streams }), { ...RECORD, observationsOf });
    expect(text).toContain("40 streams without a replica there stayed writable, as expected.");
    expect(text).not.toContain("FAR1");
  });
});

describe("the node that leads a stream", () => {
  test("is looked up", () => {
    const target = { scope: "leader", name: "EVENTS" } as const;
    expect(chooseLoss(target, PLAN, LOOK)).toMatchObject({ kind: "node", nodes: ["rg2-az2"] });
  });

  test("is the first account's, unless another is named with the stream", () => {
    const nodesOfLeader = (name: string) =>
      chooseLoss({ scope: "leader", name }, PLAN, SHARED).nodes;
    expect(nodesOfLeader("ORDERS (BILLING)")).toEqual(["rg2-az1"]);
    expect(() => nodesOfLeader("BILLS")).toThrow(
      "There are ORDERS (APP), EVENTS (APP), ORDERS (BILLING).",
    );
  });

  test.each([
    ["leader", "EVENT", "There is no stream EVENT. There are ORDERS, EVENTS."],
    ["zone", "az4", "There is no zone az4. There are rg1-az1, rg1-az2,"],
    ["region", "az1", "There is no region az1. There are rg1, rg2, rg3."],
  ] as const)("%s %s is refused", (scope, name, message) => {
    expect(() => chooseLoss({ scope, name }, PLAN, LOOK)).toThrow(message);
  });
});

describe("npm run drill", () => {
  beforeEach(() => void vi.spyOn(process.stderr, "write").mockReturnValue(true));
  afterEach(() => void vi.restoreAllMocks());

  test.each([
    [[], "Say what is to fail"],
    [["zone"], "Say what is to fail"],
    [["continent", "eu"], "Say what is to fail"],
    [["node", "rg1-az1", "rg1-az2"], "Say what is to fail"],
    [
      ["node", "rg1-az1", "--how", "drown"],
      "'--how <how>' argument 'drown' is invalid. Allowed choices are kill, stop, pause.",
    ],
    [
      ["node", "rg1-az1", "--for", "20"],
      `'--for <time>' argument '20' is invalid. "20" is not a duration`,
    ],
    [
      ["node", "rg1-az1", "--for", "5s"],
      "'--for <time>' argument '5s' is invalid. It is too short to tell anything; use 15s or more.",
    ],
  ])("refuses %j", async (args, message) => {
    await expect(runCommand(["drill", ...args])).rejects.toThrow(message);
  });
});

describe("a leader's page", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(page: object): Promise<string> {
    const server = createServer((_, response) => response.end(JSON.stringify(page)));
    servers.push(server.listen(0, "127.0.0.1"));
    await once(server, "listening");
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  const SECOND = 1e9;
  const follower = (name: string, active: number, rest: object = {}) => ({
    name,
    peer: name,
    current: true,
    active,
    ...rest,
  });

  const lookAt = async (cluster: object, config: object = {}) => {
    const whole = { name: "ORDERS", storage: "file", ...config };
    const state = { messages: 7, bytes: 345 };
    const streams = [{ name: "ORDERS", cluster, config: whole, state }];
    const page = { account_details: [{ name: "APP", stream_detail: streams }] };
    const seen = await look([{ name: "rg2-az1", url: await serve(page) }]);
    return seen.streams.get("APP ORDERS");
  };

  test.each([
    ["all were heard", [SECOND, SECOND], {}, { hasMajority: true, isComplete: true }],
    ["one is silent", [SECOND, 4 * SECOND], {}, { hasMajority: true, isComplete: false }],
    ["both are silent", [4 * SECOND, 4 * SECOND], {}, { hasMajority: false, isComplete: false }],
    ["none was ever heard", [0, 0], {}, { hasMajority: false, isComplete: false }],
    ["one lags", [SECOND, SECOND], { current: false }, { hasMajority: true, isComplete: false }],
  ])("tells a majority: %s", async (_, [first = 0, second = 0], rest, expected) => {
    const replicas = [follower("rg2-az2", first), follower("rg2-az3", second, rest)];
    expect(await lookAt({ leader: "rg2-az1", replicas })).toMatchObject({
      hosts: ["rg2-az1", "rg2-az2", "rg2-az3"],
      ...expected,
    });
  });

  test("doesn't count replicas that are being added, and tells that they are", async () => {
    const replicas = [follower("rg2-az2", SECOND, { pending: true })];
    const seen = await lookAt({ leader: "rg2-az1", replicas, desired: {} });
    expect(seen).toMatchObject({ hosts: ["rg2-az1"], isChanging: true });
  });

  test.each([
    [{}, 0],
    [{ storage: "memory" }, 7],
    [{ persist_mode: "async" }, 7],
  ])("tells what a killed server takes along: %j", async (config, messages) => {
    const seen = await lookAt({ leader: "rg2-az1" }, config);
    expect(seen).toMatchObject({ hosts: ["rg2-az1"], volatileMessages: messages });
  });

  test("only its leader's page counts", async () => {
    expect(
      await lookAt({ leader: "rg2-az2", replicas: [follower("rg2-az2", SECOND)] }),
    ).toBeUndefined();
    const silent = await look([{ name: "rg2-az1", url: "http://127.0.0.1:9" }]);
    expect(silent.metaGroup).toBeUndefined();
  });
});
