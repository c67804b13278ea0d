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

  test("are reached by IPv6, by IPv4 and by name beside each other", () => {
    const engines = {
      rg1: { host: "ssh://nats@10.0.1.5" },
      rg2: { host: "ssh://nats@rg2.example.com" },
      rg3: { host: "ssh://nats@[2001:DB8::3]:22" },
    };
    const nodes = nodesOf(plan({ engines, websocket: true }));
    const routes = ["10.0.1.5:6222", "rg2.example.com:6225", "[2001:db8::3]:6228"];
    expect(nodes.map(({ bindAddress }) => bindAddress)).toEqual(["0.0.0.0", "0.0.0.0", "::"]);
    for (const { conf, confText, restartSettings } of nodes) {
      expect(conf.routes).toEqual(routes);
      // Each of them connects to the one by IPv6.
      expect(confText.match(/"host": "::"/g)).toHaveLength(3);
      expect(confText).toContain('"nats-route://[2001:db8::3]:6228"');
      expect(restartSettings.host).toBe("::");
    }
    const [, , last] = nodes;
    expect(last?.clientUrl).toBe("tls://[2001:db8::3]:4228");
    expect(last?.listenerUrls).toEqual({ websocketPort: "wss://[2001:db8::3]:12228" });
    expect(last?.conf).toMatchObject({
      clientAdvertise: "[2001:db8::3]:4228",
      routeAdvertise: "[2001:db8::3]:6228",
      advertised: { websocketPort: "[2001:db8::3]:12228" },
    });
    expect(last?.certificateNames).toContain("2001:db8::3");
    expect(plan({ engines }).ipv6Subnet).toMatch(
      /^fd[0-9a-f]{2}:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+::\/64$/,
    );
  });

  test("have IPv4 alone where no machine has an address of IPv6", () => {
    expect(plan()).not.toHaveProperty("ipv6Subnet");
    for (const { confText, restartSettings } of nodesOf(plan())) {
      expect(confText).not.toContain('"host"');
      expect(restartSettings).not.toHaveProperty("host");
    }
  });

  test("have what clients are told in their labels, as no reload brings it to them", () => {
    expect(nodeOf("rg1-az1").restartSettings.advertise).toBe("10.0.1.5");
    const advertise = { rg1: "{node}.example.com", rg2: "none", rg3: "gate.example.com:7000+" };
    const told = ["rg1-az1", "rg2-az1", "rg3-az1"].map((name) => nodeOf(name, { advertise }));
    expect(told.map(({ restartSettings }) => restartSettings.advertise)).toEqual([
      "{node}.example.com",
      "none",
      "gate.example.com:7000",
    ]);
    expect(told.map(({ conf }) => conf.clientAdvertise)).toEqual([
      "rg1-az1.example.com:4222",
      undefined,
      "gate.example.com:7000",
    ]);
    expect(told[1]?.confText.match(/"no_advertise": true/g)).toHaveLength(1);
    expect(told[0]?.confText).not.toContain("no_advertise");
    expect(told[0]?.certificateNames).toEqual(
      expect.arrayContaining(["10.0.1.5", "rg1-az1.example.com"]),
    );
    // The stack itself goes by addresses, and nodes by their routes.
    expect(told[0]?.clientUrl).toBe("tls://10.0.1.5:4222");
    expect(told[0]?.conf.routeAdvertise).toBe("10.0.1.5:6222");
  });

  test("have a certificate for clients with what those are told, and one of their own with the rest", () => {
    const clientTls = { cert: "cert.pem", key: "key.pem" };
    const settings = { clientTls, advertise: { rg1: "{node}.example.com:7000", rg2: "none" } };
    const [named, silent, plain] = ["rg1-az1", "rg2-az1", "rg3-az1"].map((name) =>
      nodeOf(name, settings),
    );
    expect(named).toMatchObject({
      clientUrl: "tls://rg1-az1.example.com:7000",
      dial: "10.0.1.5:4222",
      toldHost: "rg1-az1.example.com",
    });
    expect(named?.certificateNames).toContain("10.0.1.5");
    expect(named?.certificateNames).not.toContain("rg1-az1.example.com");
    expect(silent?.clientUrl).toBe(`tls://${silent?.dial}`);
    expect(silent).not.toHaveProperty("toldHost");
    expect(plain?.toldHost).toBe("203.0.113.3");
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
        "monitorAddress | 10.0.0.5 is an address of one machine, and engines are on several | use 127.0.0.1, 0.0.0.0 or ::",
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

test("nodes on one engine have what clients are told in their labels, if the settings say it", () => {
  const one = { engines: {}, bindAddress: "2001:db8::5" };
  const node = nodeOf("rg2-az1", one);
  expect(node.conf.clientAdvertise).toBe("[2001:db8::5]:4225");
  expect(node.restartSettings).not.toHaveProperty("advertise");
  expect(node).not.toHaveProperty("ipv6Subnet");
  const said = nodeOf("rg2-az1", { ...one, advertise: "n.example.com" });
  expect(said.conf.clientAdvertise).toBe("n.example.com:4225");
  expect(said.restartSettings.advertise).toBe("n.example.com");
  expect(said.clientUrl).toBe("tls://[2001:db8::5]:4225");
});

test("two nodes with one address for clients are refused", () => {
  expect(problems({ advertise: { rg1: "a.example.com:1", rg2: "a.example.com:1" } })).toEqual([
    "advertise | rg1-az1 and rg2-az1 would both be a.example.com:1 | tell them apart by {node} or {port}, or by 1+ for one port after the other; where one address is for all of them, clients have it, so say none",
  ]);
});

describe("what clients can't reach is told of", () => {
  const noticesOf = (raw: object) =>
    plan({ engines: {}, ...raw }).notices.filter((line) => line.startsWith("advertise"));
  const ALL = "rg1-az1, rg2-az1, rg3-az1";

  test.each<[object, string[]]>([
    [{}, []],
    [{ bindAddress: "10.0.0.5" }, []],
    [{ bindAddress: "::1" }, []],
    [{ bindAddress: "0.0.0.0", advertise: "none" }, []],
    [{ bindAddress: "0.0.0.0", advertise: "203.0.113.7" }, []],
    [{ bindAddress: "10.0.0.5", advertise: "{node}.example.com" }, []],
    [{ bindAddress: "127.0.0.1", advertise: "localhost" }, []],
    [{ engines: ENGINES }, []],
    [
      { bindAddress: "0.0.0.0" },
      [
        `${ALL}: clients are told of the addresses of containers, which other machines don't reach, as 0.0.0.0 names none; say by which host clients do: npx pulumi config set advertise nats.example.com:{port}, or that they are told nothing: none`,
      ],
    ],
    [
      { bindAddress: "::", advertise: { rg1: "none", rg2: "[0::1]" } },
      [
        "rg2-az1: clients are told of ::1, which is another machine to each",
        expect.stringMatching(
          /^advertise: rg3-az1: clients are told of the addresses of containers/,
        ),
      ],
    ],
    [
      { bindAddress: "10.0.0.5", advertise: "localhost" },
      [`${ALL}: clients are told of localhost, which is another machine to each`],
    ],
    [
      { advertise: { rg1: "nats.example.com" } },
      ["rg1-az1: clients are told of nats.example.com, while ports are on 127.0.0.1 alone"],
    ],
    [
      { bindAddress: "10.0.0.5", advertise: "{node}" },
      [`${ALL}: clients are told of names that are known in the network of the nodes alone`],
    ],
    [
      { bindAddress: "203.0.113.7", advertise: "10.0.0.5" },
      [
        `${ALL}: clients are told of 10.0.0.5, an address of a private network, while ports are on 203.0.113.7`,
      ],
    ],
    [
      { bindAddress: "0.0.0.0", advertise: "2001:db8::7" },
      [`${ALL}: clients are told of 2001:db8::7, while ports are on 0.0.0.0`],
    ],
    [
      { bindAddress: "2001:db8::7", advertise: "fe80::7" },
      [`${ALL}: clients are told of fe80::7, which is reached on one link alone`],
    ],
    [
      { engines: ENGINES, advertise: { rg1: "127.0.0.1:{port}" } },
      ["rg1-az1: clients are told of 127.0.0.1, which is another machine to each"],
    ],
  ])("with %j", (raw, lines) => {
    expect(noticesOf(raw)).toEqual(
      lines.map((line) => (typeof line === "string" ? `advertise: ${line}` : line)),
    );
  });
});
