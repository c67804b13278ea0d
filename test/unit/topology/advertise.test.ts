import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostAndPort } from "../../../lib/base/addresses.ts";
import {
  type Advertise,
  addressProblems,
  advertisedOf,
  advertiseProblems,
  patternSchema,
} from "../../../lib/topology/advertise.ts";
import { uniformShape } from "../../../lib/topology/shape.ts";
import { placeNodes } from "../../../lib/topology/topology.ts";
import { problemsOf } from "../../support/problems.ts";

const SHAPE = uniformShape(["rg1", "rg2"], ["az1", "az2"], 2);
const NODES = placeNodes(SHAPE).map((place) => ({ ...place, clientPort: 4222 + place.portOffset }));

/** `host:port` that clients are told of each node, by its name; what else there is as it is. */
function told(setting: Advertise): Record<string, string | undefined> {
  return Object.fromEntries(
    NODES.map((node) => {
      const said = advertisedOf(node, NODES, setting);
      return [node.name, typeof said === "object" ? hostAndPort(said.host, said.port) : said];
    }),
  );
}

const faultsOf = (setting: Advertise) => {
  const all = NODES.map((node) => [node.name, advertisedOf(node, NODES, setting)] as const);
  return problemsOf(() => [...advertiseProblems(setting, SHAPE), ...addressProblems(new Map(all))]);
};

const issueOf = (pattern: string) => patternSchema.safeParse(pattern).error?.issues[0]?.message;

describe("what clients are told of nodes", () => {
  test("is a host by their names, with their own ports", () => {
    expect(told("{node}.{region}.example.com")).toMatchObject({
      "rg1-az1": "rg1-az1.rg1.example.com:4222",
      "rg2-az1": "rg2-az1.rg2.example.com:4225",
      "rg2-az2-2": "rg2-az2-2.rg2.example.com:4326",
    });
    expect(told("n-{zone}-{region}:{port}")["rg2-az2"]).toBe("n-az2-rg2:4226");
  });

  test("is one host and port after port, for the nodes that the setting is for", () => {
    expect(told("gate.example.com:7000+")).toMatchObject({
      "rg1-az1": "gate.example.com:7000",
      "rg1-az2": "gate.example.com:7001",
      "rg2-az2": "gate.example.com:7004",
    });
    const byPlace = told({ rg1: "a.example.com:7000+", rg2: "[2001:DB8:0:0::7]:7100+" });
    expect(byPlace).toMatchObject({
      "rg1-az1": "a.example.com:7000",
      "rg1-az2": "a.example.com:7001",
      "rg2-az1": "[2001:db8::7]:7100",
      "rg2-az2": "[2001:db8::7]:7101",
      "rg2-az2-2": "[2001:db8::7]:7201",
    });
  });

  test("is that of the narrowest place, and what follows from addresses elsewhere", () => {
    const setting = { rg1: "none", "rg1-az2": "auto", "rg1-az2-2": "b.example.com:9" };
    expect(told(setting)).toEqual({
      "rg1-az1": "none",
      "rg1-az1-2": "none",
      "rg1-az2": undefined,
      "rg1-az2-2": "b.example.com:9",
      "rg2-az1": undefined,
      "rg2-az1-2": undefined,
      "rg2-az2": undefined,
      "rg2-az2-2": undefined,
    });
  });

  test("has the same words for nodes that differ in their place alone", () => {
    const words = NODES.map((node) => advertisedOf(node, NODES, "{node}.example.com"));
    expect(words).toEqual(
      words.map(() => expect.objectContaining({ words: "{node}.example.com" })),
    );
  });

  test.each<[Advertise, string[]]>([
    ["auto", []],
    ["none", []],
    ["nats.example.com", []],
    [
      { rg1: "nats.example.com:4222", rg2: "nats.example.com" },
      [
        "advertise | rg1-az1 and rg1-az1-2 would both be nats.example.com:4222 | tell them apart by {node} or {port}, or by 4222+ for one port after the other; where one address is for all of them, clients have it, so say none",
        "advertise | rg1-az1-2 and rg1-az2 would both be nats.example.com:4222 | tell them apart by {node} or {port}, or by 4222+ for one port after the other; where one address is for all of them, clients have it, so say none",
        "advertise | rg1-az2 and rg1-az2-2 would both be nats.example.com:4222 | tell them apart by {node} or {port}, or by 4222+ for one port after the other; where one address is for all of them, clients have it, so say none",
      ],
    ],
    [
      { "rg1-az1-2": "a.example.com:65535+", "rg2-az1": "b.example.com:65500+" },
      ["advertise | rg2-az1-2 would get port 65600 | use a lower first port"],
    ],
    [
      { rg3: "none" },
      [
        'advertise.rg3 | there is no region, zone or node "rg3" | use rg1, rg2, rg1-az1, rg1-az2, rg2-az1, rg2-az2',
      ],
    ],
    [
      { "rg1-az1": `{region}-${"x".repeat(60)}.example.com` },
      [
        `advertise | rg1-${"x".repeat(60)}.example.com of rg1-az1 is longer than a host name may be | use shorter names`,
        `advertise | rg1-${"x".repeat(60)}.example.com of rg1-az1-2 is longer than a host name may be | use shorter names`,
      ],
    ],
  ])("has these faults: %j", (setting, problems) => {
    expect(faultsOf(setting)).toEqual(problems);
  });

  test.each([
    ["{node}.example.com:{port}"],
    ["{region}-{zone}.example.com:4222"],
    ["{node}"],
    ["203.0.113.7:7000+"],
    ["2001:db8::7"],
    ["[2001:db8::7]"],
    ["[2001:db8::7]:{port}"],
    ["auto"],
    ["none"],
  ])("may be %j", (pattern) => {
    expect(issueOf(pattern)).toBeUndefined();
  });

  const NO_HOST = "is no host with or without a port";
  test.each([
    ["{rack}.example.com", "has {rack} in its host, where {region}, {zone} and {node} may be"],
    ["{port}.example.com", "has {port} in its host"],
    ["a.example.com:{node}", "has a port that is none of {port}, 1 to 65535"],
    ["a.example.com:0", "has a port that is none of"],
    ["a.example.com:65536", "has a port that is none of"],
    ["a.example.com:", "has a port that is none of"],
    ["a.example.com:70 00", "has a port that is none of"],
    ["", NO_HOST],
    [":4222", NO_HOST],
    ["a b", NO_HOST],
    ["-a.example.com", NO_HOST],
    ["a..example.com", NO_HOST],
    ["{node.example.com", NO_HOST],
    ["nats://a.example.com", "has a port that is none of"],
    ["user@a.example.com", NO_HOST],
    ["a.example.com/path", NO_HOST],
    ["10.0.0", NO_HOST],
    ["300.1.1.1", NO_HOST],
    ["[10.0.0.5]:4222", NO_HOST],
    ["[2001:db8::{node}]", NO_HOST],
    ["2001:db8::7:4222:1:2:3:4:5", NO_HOST],
    ["[fe80::1%eth0]", NO_HOST],
    ["0.0.0.0", "is all addresses of a machine, and none to connect to"],
    ["[0::0]:4222", "is all addresses of a machine"],
  ])("isn't %j", (pattern, fault) => {
    expect(issueOf(pattern)).toContain(`${JSON.stringify(pattern)} ${fault}`);
  });

  test("is read as it is written, whatever host and port", () => {
    const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const hosts = fc.oneof(
      fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
      fc.ipV4(),
      fc.ipV6().filter((address) => !address.includes(".")),
    );
    fc.assert(
      fc.property(hosts, fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        fc.pre(!["auto", "none"].includes(host) && !/^[0:]+$|^0\.0\.0\.0$/.test(host));
        const pattern = hostAndPort(host, port);
        expect(issueOf(pattern)).toBeUndefined();
        const [node] = NODES;
        const said = node && advertisedOf(node, NODES, pattern);
        if (typeof said !== "object") throw new Error(`nothing is said: ${said}`);
        expect(said.port).toBe(port);
        // The spelling that URLs have.
        expect(new URL(`tls://${hostAndPort(said.host, said.port)}`).hostname).toBe(
          new URL(`http://${pattern}`).hostname,
        );
      }),
    );
  });
});
