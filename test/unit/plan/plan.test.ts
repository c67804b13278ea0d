import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { plannedHosts } from "../../../lib/placement/placement.ts";
import { draftCluster, nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const identity = { project: "nats-regions", stack: "dev" };
const plan = (raw: object = {}) => planCluster(parseSettings(raw, identity));

function problemsOf(raw: object): string[] {
  try {
    plan(raw);
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

const SEED_STREAMS = {
  EVENTS: { subjects: ["events.*"], replicas: 3, placement: { tags: ["xr:123"] } },
  ORDERS: { subjects: ["orders.*"], replicas: 3, placement: { tags: ["rg:2"] } },
};

describe("streams of one name", () => {
  const ORDERS = { subjects: ["orders.*"] };

  test("are in different accounts, each with a key of its own", () => {
    const { streams } = plan({
      accounts: { BILLING: {} },
      streams: { ORDERS, "ORDERS-BILLING": { ...ORDERS, stream: "ORDERS", account: "BILLING" } },
    });
    expect(streams).toMatchObject([
      { key: "ORDERS", name: "ORDERS", account: "APP", config: { name: "ORDERS" } },
      { key: "ORDERS-BILLING", name: "ORDERS", account: "BILLING", config: { name: "ORDERS" } },
    ]);
  });

  test("take their name for subject, not their key", () => {
    const { streams } = plan({ streams: { key: { stream: "ORDERS" } } });
    expect(streams[0]?.config.subjects).toEqual(["ORDERS"]);
  });

  test.each([["SAME"], ["Z"], ["A"]])("are refused in one account, %s naming the other", (key) => {
    // The server's words for it, an overlap of subjects, aren't said beside it.
    expect(problemsOf({ streams: { [key]: { ...ORDERS, stream: "ORDERS" }, ORDERS } })).toEqual([
      `streams.${key}.stream: stream ORDERS of account APP is streams.ORDERS already`,
    ]);
  });

  test("have what is wrong with them said of their keys", () => {
    const problems = problemsOf({
      streams: {
        one: { stream: "O.1" },
        two: { stream: "ORDERS", account: "NONE" },
        three: { stream: "ORDERS", placement: { tags: ["rg:9"] } },
        four: { stream: "BIG", maxMsgSize: "8MiB", maxBytes: "1TiB" },
        five: { subjects: ["BIG"] },
      },
    });
    const paths = problems.map((problem) => problem.split(": ")[0]);
    expect(paths).toEqual(
      expect.arrayContaining([
        "streams.one.stream",
        "streams.two.account",
        "streams.three.placement",
        "streams.four.maxMsgSize",
        "streams.five.subjects",
      ]),
    );
    expect(paths.filter((path) => /ORDERS|BIG/.test(path ?? ""))).toEqual([]);
  });

  test("are copied from in the account of the stream that copies", () => {
    const copies = (account: string) => {
      const { streams } = draftCluster(
        parseSettings(
          {
            accounts: { BILLING: {} },
            streams: {
              BILLS: { stream: "ORDERS", account: "BILLING" },
              COPY: { account, mirror: { name: "ORDERS" } },
            },
          },
          identity,
        ),
      );
      return streams.find(({ key }) => key === "COPY")?.warnings;
    };
    expect(copies("BILLING")).toEqual([]);
    expect(copies("APP")).toEqual([expect.stringContaining("ORDERS isn't in these settings")]);
  });
});

describe("planCluster", () => {
  test("names hosts for the seed's streams", () => {
    const { streams } = plan({ streams: SEED_STREAMS });
    expect(
      Object.fromEntries(streams.map((stream) => [stream.name, plannedHosts(stream.placement)])),
    ).toEqual({
      EVENTS: ["rg1-az1", "rg2-az2", "rg3-az3"],
      ORDERS: ["rg2-az1", "rg2-az2", "rg2-az3"],
    });
  });

  test("takes the model's words for the same places", () => {
    const words = plan({
      streams: {
        EVENTS: {
          ...SEED_STREAMS.EVENTS,
          placement: { across: { rg1: "az1", rg2: "az2", rg3: "az3" } },
        },
        ORDERS: { ...SEED_STREAMS.ORDERS, placement: { region: "rg2" } },
      },
    });
    expect(words.streams).toEqual(plan({ streams: SEED_STREAMS }).streams);
  });

  test("lists the routes of all nodes in every config, and a port for each", () => {
    const nodes = nodesOf(plan({ clientPort: 4222 }));
    for (const { confText } of nodes) expect(confText.match(/nats-route:/g)).toHaveLength(9);
    expect(nodes.map(({ clientUrl }) => clientUrl)).toEqual(
      nodes.map((_, index) => `nats://127.0.0.1:${4222 + index}`),
    );
  });

  test("reaches nodes on loopback that listen everywhere, and advertises no such address", () => {
    const [node] = nodesOf(plan({ clientPort: 4222, monitorPort: 8222, bindAddress: "0.0.0.0" }));
    expect(node?.clientUrl).toBe("tls://127.0.0.1:4222");
    expect(node?.monitoringUrl).toBe("https://127.0.0.1:8222");
    expect(node?.confText).not.toContain("client_advertise");
  });

  test.each<[object, string[]]>([
    [{}, []],
    [{ bindAddress: "127.0.0.2" }, []],
    [{ monitorAddress: "127.0.0.3" }, []],
    [{ monitorAddress: "10.0.0.5" }, ["10.0.0.5"]],
    [{ monitorAddress: "0.0.0.0", tls: "none" }, ["0.0.0.0"]],
    [{ monitorAddress: "10.0.0.5", tls: "stack" }, []],
    [{ bindAddress: "10.0.0.5", monitorAddress: "10.0.0.5" }, []],
    [{ bindAddress: "10.0.0.5", monitorAddress: "10.0.0.5", tls: "none" }, []],
  ])("with %j notes where pages go in the clear that nobody meant to", (settings, addresses) => {
    expect(plan(settings).notices).toEqual([]);
    expect(plan({ ...settings, monitorPort: 8222 }).notices).toEqual(
      addresses.map((address) =>
        expect.stringMatching(
          new RegExp(`^monitorAddress ${address}: .* in the clear.*config set tls stack$`),
        ),
      ),
    );
  });

  test.each([
    [
      { regions: ["us", "us-east"], availabilityZones: ["east-a", "a"] },
      "regions: 2 nodes would be called us-east-a",
    ],
    [
      { regions: ["r".repeat(40)], availabilityZones: ["a".repeat(40), "b"] },
      `regions: ${"r".repeat(40)}-${"a".repeat(40)} is longer than 63 characters`,
    ],
    [{ regions: ["rg1"], availabilityZones: ["az1"] }, "regions: one node makes no cluster"],
    [
      { clientPort: 4222, monitorPort: 4230 },
      "clientPort: port 4230 of rg3-az3 is also the monitorPort of rg1-az1",
    ],
    [{ clientPort: 65_530 }, "clientPort: rg3-az1 would get port 65536"],
  ])("refuses %j", (raw, problem) => {
    expect(problemsOf(raw)).toContain(problem);
  });

  test("reports every stream that has no place, and overlaps", () => {
    const problems = problemsOf({
      streams: {
        NOWHERE: { subjects: ["a.*"], placement: { tags: ["rg:7"] } },
        LARGE: { subjects: ["b.*"], replicas: 5 },
        OVER: { subjects: ["a.b"] },
      },
    });
    expect(problems.filter((line) => line.startsWith("streams.NOWHERE.placement"))).toHaveLength(1);
    expect(problems.filter((line) => line.startsWith("streams.LARGE.placement"))).toHaveLength(1);
    expect(problems.join()).toContain("a.b");
  });

  test("a draft has the streams that can't be beside those that can", () => {
    const raw = {
      streams: {
        ...SEED_STREAMS,
        NOWHERE: { subjects: ["a.*"], placement: { tags: ["rg:7"] }, leader: { region: "rg7" } },
        LED: { subjects: ["b.*"], placement: { region: "rg1" }, leader: { region: "rg2" } },
      },
    };
    const { streams, problems } = draftCluster(parseSettings(raw, identity));
    expect(streams.map(({ name, placement }) => [name, placement.kind])).toEqual([
      ["EVENTS", "exact"],
      ["ORDERS", "exact"],
      ["NOWHERE", "impossible"],
      ["LED", "choice"],
    ]);
    expect(problems).toEqual([]);
    expect(streams.flatMap((stream) => stream.problems.map(({ path }) => path))).toEqual([
      "streams.LED.leader",
    ]);
    expect(problemsOf(raw).map((line) => line.split(":")[0])).toEqual([
      "streams.NOWHERE.placement",
      "streams.LED.leader",
    ]);
  });

  test("any shape gives every node its own name, volumes and ports", () => {
    const size = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 3 }), (regions, zones, nodesPerZone) => {
        fc.pre(regions * zones * nodesPerZone > 1);
        const names = (prefix: string, count: number) =>
          Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}-x`);
        const nodes = nodesOf(
          plan({
            monitorPort: 20_000,
            regions: names("region", regions),
            availabilityZones: names("zone", zones),
            nodesPerZone,
          }),
        );
        expect(nodes).toHaveLength(regions * zones * nodesPerZone);
        const unique = nodes.flatMap((node) => [
          node.name,
          node.configVolume,
          node.dataVolume,
          node.clientUrl,
          node.monitoringUrl,
        ]);
        expect(new Set(unique).size).toBe(unique.length);
      }),
    );
  });
});
