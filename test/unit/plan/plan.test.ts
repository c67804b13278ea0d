import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { plannedHosts } from "../../../lib/placement/placement.ts";
import { metaSeating } from "../../../lib/placement/survivability.ts";
import { draftCluster, nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { settingsFor, shapesUpTo } from "../../support/shapes.ts";

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

  test("tags of one's own place streams, and keep replicas apart", () => {
    const racks = { "rg1-az1": ["rack:1"], "rg1-az2": ["rack:1"], "rg1-az3": ["rack:2"] };
    const settings = { regions: ["rg1"], uniqueTag: "rack:", serverTags: racks };
    const streamOf = (stream: object) => ({ ...settings, streams: { S: stream } });
    const { streams, fleet } = plan(streamOf({ replicas: 2, placement: { region: "rg1" } }));
    expect(fleet).toMatchObject({ uniqueTag: "rack:" });
    expect(streams[0]?.placement).toEqual({
      kind: "choice",
      candidates: ["rg1-az1", "rg1-az2", "rg1-az3"],
    });
    expect(plan(streamOf({ placement: { tags: ["rack:2"] } })).streams[0]?.placement).toEqual({
      kind: "exact",
      hosts: ["rg1-az3"],
    });
    expect(problemsOf(streamOf({ replicas: 3 }))).toEqual([
      'streams.S.placement: needs 3 servers that differ in their "rack:" tag, but the 3 that fit share the 2 tags rack:1, rack:2',
    ]);
    expect(problemsOf({ ...settings, serverTags: {} })).toEqual([
      'uniqueTag: rg1-az1, rg1-az2, rg1-az3 have no "rack:" tag, and would take no streams',
    ]);
  });

  describe("witnesses", () => {
    const settings = {
      regions: { eu: ["x", "y"], tie: ["t"], us: ["a", "b", "c"] },
      witnesses: ["tie"],
    };
    const problemsWith = (placement: object) =>
      problemsOf({ ...settings, streams: { S: { placement } } });

    test("vote, and take no streams", () => {
      const { streams, fleet, waves } = plan({ ...settings, streams: { S: { replicas: 3 } } });
      expect(plannedHosts(streams[0]?.placement ?? { kind: "exact", hosts: [] })).toEqual([
        "eu-x",
        "eu-y",
        "us-a",
        "us-b",
        "us-c",
      ]);
      expect(metaSeating(fleet).replicas).toBe(6);
      expect(waves.flat()).toHaveLength(6);
    });

    test("need no unique tag", () => {
      const serverTags = { us: ["rack:1"], eu: ["rack:2"] };
      expect(problemsOf({ ...settings, uniqueTag: "rack:", serverTags })).toEqual([]);
    });

    test("are no place for a stream", () => {
      expect(problemsWith({ region: "tie" })).toContain(
        'streams.S.placement.region: "tie" has only witnesses, which take no streams',
      );
      expect(problemsWith({ across: { tie: "t" } })).toContain(
        'streams.S.placement.across: "tie" has only witnesses, which take no streams',
      );
      expect(problemsWith({ tags: ["az:t"] })).toEqual([
        "streams.S.placement: needs 1 server tagged az:t, but there is none (kept free by the tag !jetstream: tie-t)",
      ]);
      const zone = { ...settings, witnesses: ["us-a"] };
      const streams = { S: { placement: { across: { us: "a" } } } };
      expect(problemsOf({ ...zone, streams })).toContain(
        'streams.S.placement.across.us: "a" has only witnesses, which take no streams',
      );
    });

    test("are told of where they outnumber the others", () => {
      expect(plan({ ...settings, witnesses: ["tie", "us"] }).notices).toEqual([
        expect.stringContaining("4 of 6 nodes are witnesses"),
      ]);
      expect(plan({ ...settings, witnesses: ["us"] }).notices).toEqual([]);
    });

    test("come and go by a reload", () => {
      const [before, after] = [[], ["tie"]].map((witnesses) =>
        nodesOf(plan({ ...settings, witnesses })).find(({ name }) => name === "tie-t"),
      );
      expect(after?.confText).not.toBe(before?.confText);
      expect(after?.restartSettings).toEqual(before?.restartSettings);
    });
  });

  test("a change of tags of one's own is a reload", () => {
    const [before, after] = [{}, { serverTags: { "rg1-az1": ["ssd"] } }].map(
      (raw) => nodesOf(plan(raw))[0],
    );
    expect(after?.confText).toContain('"ssd"');
    expect(after?.restartSettings).toEqual(before?.restartSettings);
  });

  test("any shape gives every node its own name, volumes and ports", () => {
    fc.assert(
      fc.property(shapesUpTo(5, 5), (shape) => {
        const count = shape
          .flatMap(({ zones }) => zones)
          .reduce((sum, { nodes }) => sum + nodes, 0);
        fc.pre(count > 1);
        const nodes = nodesOf(plan({ ...settingsFor(shape), monitorPort: 20_000 }));
        expect(nodes).toHaveLength(count);
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
