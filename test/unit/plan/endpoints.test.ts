import { describe, expect, test } from "vitest";
import { type NodePlan, nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { problemsOf } from "../../support/problems.ts";

const identity = { project: "nats-regions", stack: "dev" };
const ENGINES = {
  rg1: { host: "ssh://nats@10.0.1.5" },
  rg2: { host: "ssh://nats@rg2.example.com", bindAddress: "10.0.2.5" },
  rg3: { host: "far", address: "203.0.113.3" },
};
const SETTINGS = { availabilityZones: ["az1"], clientPort: 4222, engines: ENGINES };

const plan = (raw: object = {}) => planCluster(parseSettings({ ...SETTINGS, ...raw }, identity));
const nodeOf = (name: string, raw: object = {}): NodePlan => {
  const found = nodesOf(plan(raw)).find((node) => node.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};
const problems = (raw: object) =>
  problemsOf(() => {
    plan(raw);
    return [];
  });

describe("nodes on engines of their own", () => {
  test("reach each other by the machines' addresses, each with ports of its own", () => {
    const routes = ["10.0.1.5:6222", "rg2.example.com:6225", "203.0.113.3:6228"];
    for (const [index, node] of nodesOf(plan()).entries()) {
      expect(node.conf.routes).toEqual(routes);
      expect(node.conf.routeAdvertise).toBe(routes[index]);
      expect(node).toMatchObject({ clientPort: 4222 + 3 * index, routePort: 6222 + 3 * index });
      expect(node.confText).toContain(`"advertise": "${routes[index]}"`);
      for (const route of routes) expect(node.confText).toContain(`"nats-route://${route}"`);
      expect(node.restartSettings).toMatchObject({ routePort: 6222 + 3 * index });
    }
  });

  test("advertise to clients where they are, whichever address their ports are published on", () => {
    const nodes = nodesOf(plan());
    const addresses = ["10.0.1.5:4222", "rg2.example.com:4225", "203.0.113.3:4228"];
    expect(nodes.map(({ conf }) => conf.clientAdvertise)).toEqual(addresses);
    expect(nodes.map(({ clientUrl }) => clientUrl)).toEqual(
      addresses.map((address) => `tls://${address}`),
    );
    expect(nodes.map(({ bindAddress }) => bindAddress)).toEqual(["0.0.0.0", "10.0.2.5", "0.0.0.0"]);
    expect(nodes.map(({ engine }) => engine?.key)).toEqual(["rg1", "rg2", "rg3"]);
    for (const node of nodes) expect(node.confText).toContain(`"${node.conf.clientAdvertise}"`);
  });

  test("are certified for their machine's address, and for no other's", () => {
    const common = ["localhost", "127.0.0.1"];
    const namesOf = (name: string) => nodeOf(name).certificateNames;
    expect(namesOf("rg1-az1")).toEqual([
      "rg1-az1",
      "nats-regions-dev-rg1-az1",
      ...common,
      "10.0.1.5",
    ]);
    expect(namesOf("rg2-az1")).toEqual(
      expect.arrayContaining(["10.0.2.5", "rg2.example.com", "rg2-az1"]),
    );
    expect(namesOf("rg3-az1")).toContain("203.0.113.3");
  });

  test("have TLS of the stack's own by default, as what they say is seen by others", () => {
    expect(plan().tls).toBe("stack");
    expect(plan({ tls: "none" }).tls).toBe("none");
    expect(nodeOf("rg1-az1", { tls: "none" }).clientUrl).toBe("nats://10.0.1.5:4222");
    expect(plan({ engines: {} }).tls).toBe("none");
  });

  test("have their zone's engine before their region's", () => {
    const engines = { ...ENGINES, "rg1-az2": { host: "ssh://10.0.1.6" } };
    const settings = { availabilityZones: ["az1", "az2"], engines };
    expect(nodeOf("rg1-az2", settings).clientUrl).toBe("tls://10.0.1.6:4223");
    expect(nodeOf("rg1-az1", settings).clientUrl).toBe("tls://10.0.1.5:4222");
  });

  test("have pages for their own machine, or for all", () => {
    const urlOf = (raw: object) => nodeOf("rg3-az1", { monitorPort: 8222, ...raw }).monitoringUrl;
    expect(urlOf({})).toBe("https://127.0.0.1:8228");
    expect(urlOf({ monitorAddress: "0.0.0.0" })).toBe("https://203.0.113.3:8228");
  });

  test("keep their ports and their addresses as regions come and go behind them", () => {
    const { rg3: _, ...engines } = ENGINES;
    const restartsOf = (raw: object) => nodeOf("rg2-az1", raw).restartSettings;
    expect(restartsOf({ regions: ["rg1", "rg2"], engines, nodesPerZone: 1 })).toEqual(
      restartsOf({}),
    );
  });

  test.each<[object, string[]]>([
    [
      { bindAddress: "10.0.0.5" },
      ["bindAddress | not used with engines | set bindAddress of each of the engines"],
    ],
    [
      { monitorAddress: "10.0.0.5" },
      [
        "monitorAddress | 10.0.0.5 is an address of one machine, and engines are on several | use 127.0.0.1 or 0.0.0.0",
      ],
    ],
    [{ monitorAddress: "127.0.0.2" }, []],
    [
      { routePort: 4225 },
      [
        "clientPort | port 4225 of rg2-az1 is also the routePort of rg1-az1 | set routePort and clientPort further apart",
        "clientPort | port 4228 of rg3-az1 is also the routePort of rg2-az1 | set routePort and clientPort further apart",
      ],
    ],
    [
      { monitorPort: 6228 },
      [
        "routePort | port 6228 of rg3-az1 is also the monitorPort of rg1-az1 | set monitorPort and routePort further apart",
      ],
    ],
    [{ routePort: 65_530 }, ["routePort | rg3-az1 would get port 65536 | use a lower first port"]],
    [
      { engines: { rg1: ENGINES.rg1 } },
      ["engines | no engine for rg2-az1, rg3-az1 | name one for each region, or for none"],
    ],
    [
      { engines: { ...ENGINES, rg4: { host: "ssh://10.0.4.5" } } },
      ["engines.rg4 | is neither a region nor a zone of one | use rg1, rg2, rg3, or e.g. rg1-az1"],
    ],
  ])("are checked with %j", (raw, expected) => {
    expect(problems(raw)).toEqual(expected);
  });
});

test("nodes on one engine have routes in its network alone", () => {
  const node = nodeOf("rg2-az1", { engines: {} });
  expect(node.conf.routes).toEqual(["rg1-az1:6222", "rg2-az1:6222", "rg3-az1:6222"]);
  expect(node.conf.routeAdvertise).toBeUndefined();
  expect(node).not.toHaveProperty("routePort");
  expect(node).not.toHaveProperty("engine");
  expect(node.restartSettings).not.toHaveProperty("routePort");
});
