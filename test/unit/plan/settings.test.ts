import { describe, expect, test } from "vitest";
import { PASSWORD_PLACEHOLDER } from "../../../lib/accounts/hidden-passwords.ts";
import { PlanError } from "../../../lib/base/errors.ts";
import { decodeSettings, parseSettings } from "../../../lib/plan/settings.ts";
import { uniformShape } from "../../../lib/topology/shape.ts";

const identity = { project: "nats-regions", stack: "dev" };

function problemsOf(raw: unknown): string[] {
  try {
    parseSettings(raw, identity);
  } catch (error) {
    if (error instanceof PlanError) {
      return error.problems.map(({ path, message, fix }) =>
        [path, message, fix].filter(Boolean).join(" | "),
      );
    }
    throw error;
  }
  return [];
}

describe("parseSettings", () => {
  test("fills in the defaults", () => {
    expect(parseSettings({}, identity)).toMatchObject({
      cluster: "c1",
      shape: uniformShape(["rg1", "rg2", "rg3"], ["az1", "az2", "az3"]),
      uniqueTag: "az:",
      memory: 512 * 1024 ** 2,
      syncInterval: "always",
      rollout: "zone",
      streams: {},
    });
  });

  test("derives ports from the stack's name, below the ephemeral range", () => {
    const dev = parseSettings({}, identity);
    const other = parseSettings({}, { ...identity, stack: "other" });
    expect(dev.clientPort).toBe(parseSettings({}, identity).clientPort);
    expect(dev.clientPort).not.toBe(other.clientPort);
    expect(dev.clientPort).toBeLessThan(32_768);
    expect(dev.monitorPort).toBe(0);
  });

  test("takes regions that aren't alike, those of a map in the order of their names", () => {
    const zones = { us: ["a", "b"], eu: ["x"] };
    const shapeOf = (raw: object) => parseSettings(raw, identity).shape;
    const us = { name: "us", zones: ["a", "b"].map((name) => ({ name, nodes: 2 })) };
    const eu = { name: "eu", zones: [{ name: "x", nodes: 1 }] };
    const nodesPerZone = { us: 2 };
    expect(shapeOf({ regions: zones, nodesPerZone })).toEqual([eu, us]);
    expect(shapeOf({ regions: ["us", "eu"], availabilityZones: zones, nodesPerZone })).toEqual([
      us,
      eu,
    ]);
  });

  test("takes ports as they are set", () => {
    expect(parseSettings({ clientPort: 4222, monitorPort: 8222 }, identity)).toMatchObject({
      clientPort: 4222,
      monitorPort: 8222,
    });
  });

  test.each(["rack", "xr:", "Rack:", ":", "", "a b:"])("refuses the unique tag %j", (uniqueTag) => {
    expect(problemsOf({ uniqueTag })).toEqual([
      `uniqueTag | ${JSON.stringify(uniqueTag)} is no prefix of tags with its colon, in lower case, e.g. az: or rack: (but not xr:), nor none`,
    ]);
  });

  test("reports every problem at once, each with its path", () => {
    const problems = problemsOf({
      regoins: ["rg1"],
      regions: ["rg1", "Rg2", "rg1"],
      nodesPerZone: "two",
      image: "nats:latest",
      clientPort: 70_000,
      memory: "1 elephant",
      streams: { ORDERS: { subjects: ["orders.*"], replicas: 7, retantion: "limits" } },
    });
    const paths = problems.map((problem) => problem.split(" | ")[0]);
    expect(new Set(paths)).toEqual(
      new Set([
        "regoins",
        "regions[1]",
        "nodesPerZone",
        "image",
        "clientPort",
        "memory",
        "streams.ORDERS.retantion",
        "streams.ORDERS.replicas",
      ]),
    );
  });

  test.each([
    ["nats:2.10.22", "too old"],
    ["nats:2.12.6-alpine", "too old"],
    ["nats:2.16.0", "too new"],
    ["nats", "pin one"],
    ["registry.example:5000/nats", "pin one"],
    ["--x:2.15.2", "is not the name of an image"],
    ["a b:2.15.2", "is not the name of an image"],
  ])("refuses the image %s", (image, words) => {
    expect(problemsOf({ image }).join()).toContain(words);
  });

  test.each(["nats:2.14.7", "nats:2.15.0", "nats:2.15.2-alpine", "nats:v2.14.9"])(
    "accepts the image %s",
    (image) => {
      expect(problemsOf({ image })).toEqual([]);
    },
  );

  test.each([
    [{ regions: ["rg1", "rg1"] }, 'regions[1] | "rg1" is listed twice | rename or remove one'],
    [
      { availabilityZones: ["az1", "az-1"] },
      'availabilityZones[1] | "az-1" and "az1" both have the tag az:1 | rename or remove one',
    ],
    [
      { regions: [1] },
      "regions[0] | 1 is not text; put it in quotes in the settings file, or set it by npx pulumi config set --type string",
    ],
    [{ user: "sys" }, 'user | "sys" is the system user too | rename one'],
    [{ syncInterval: "0" }, 'syncInterval | 0 would mean two minutes; use "always"'],
    [{ account: "$SYS" }, "account | $SYS is the system account | choose another name"],
    [{ account: "$G" }, "account | $G is the account of users without one | choose another name"],
    // nats-server unescapes no keys.
    [{ account: "A\\B" }, 'account | "A\\\\B" must have none of . * > / \\ in it'],
    [{ account: "../A" }, 'account | "../A" must have none of . * > / \\ in it'],
    [{ user: "a b" }, 'user | "a b" must have no blanks and no quotes'],
    [{ cluster: "_" }, 'cluster | "_" is a name that nats-server keeps for itself'],
    [{ cluster: "c\u0000" }, 'cluster | "c\\u0000" must have no blanks and no quotes'],
    [
      JSON.parse('{ "streams": { "__proto__": {} } }'),
      "streams.__proto__ | no stream can be called that",
    ],
    [{ memory: "1MiB" }, "memory | 1MiB is less than 64MiB"],
    [{ memory: [] }, "memory | [] is not a size, e.g. 512MiB"],
    [{ regions: [] }, "regions | has 0 entries, less than 1"],
    [
      { regions: "rg1" },
      'regions | "rg1" is neither a list of names, nor a map of region to zones',
    ],
    [{ regions: {} }, "regions | names no region"],
    [{ regions: { us: [] } }, "regions.us | has 0 entries, less than 1"],
    [
      { regions: { Us: ["a"] } },
      'regions.Us | "Us" must be lower case letters, digits and dashes, with a letter first and no dash last',
    ],
    [
      { regions: { us: ["a", "az-a"], eu: ["b"] } },
      'regions.us[1] | "az-a" and "a" both have the tag az:a | rename or remove one',
    ],
    [
      { regions: { rg1: ["a"], "rg-1": ["b"] } },
      'regions.rg1 | "rg1" and "rg-1" both have the tag rg:1 | rename or remove one',
    ],
    [
      { regions: { us: ["a"], eu: ["x"] }, availabilityZones: ["b"] },
      "availabilityZones | counts nowhere, as regions has the zones of each region | remove it, or make regions a list of names",
    ],
    [
      {
        regions: ["us", "eu"],
        availabilityZones: { us: ["a"], eu: ["a"], ap: ["b"] },
      },
      'availabilityZones.ap | there is no region "ap" | use us or eu',
    ],
    [
      { regions: ["us", "eu"], availabilityZones: { us: ["a"] } },
      'availabilityZones | has no zones of region "eu" | name them, e.g. eu: [az1, az2, az3]',
    ],
    [
      { regions: ["us", "eu"], nodesPerZone: { ap: 2 } },
      'nodesPerZone.ap | there is no region "ap" | use us or eu',
    ],
    [
      { serverTags: { rg1: ["a b"] } },
      'serverTags.rg1[0] | "a b" must have no blanks and no quotes',
    ],
    [
      { serverTags: { rg9: ["a"] } },
      'serverTags.rg9 | there is no region, zone or node "rg9" | use rg1, rg2, rg3, rg1-az1, rg1-az2, rg1-az3, rg2-az1, rg2-az2, rg2-az3, rg3-az1, rg3-az2, rg3-az3',
    ],
    [
      { regions: ["us"], witnesses: ["us-az4"] },
      'witnesses[0] | there is no region or zone "us-az4" | use us, us-az1, us-az2, us-az3',
    ],
    [
      { regions: ["us"], nodesPerZone: 2, witnesses: ["us-az1-2"] },
      'witnesses[0] | there is no region or zone "us-az1-2" | use us, us-az1, us-az2, us-az3',
    ],
    [
      { regions: ["us", "eu"], witnesses: ["us", "eu"] },
      "witnesses | are all nodes, so that none is left for streams | take some out",
    ],
    [{ nodesPerZone: { rg1: 9 } }, "nodesPerZone.rg1 | 9 is more than 5"],
    [
      { nodesPerZone: "2" },
      'nodesPerZone | "2" is neither a whole number, nor a map of region to number',
    ],
    [
      { certificateNames: ["a b"] },
      'certificateNames[0] | "a b" is neither a host name nor an address',
    ],
    [{ bindAddress: "::x" }, 'bindAddress | "::x" is not an IP address, e.g. 127.0.0.1 or ::1'],
    [
      { bindAddress: "fe80::1%eth0" },
      'bindAddress | "fe80::1%eth0" is not an IP address, e.g. 127.0.0.1 or ::1',
    ],
    [
      { bindAddress: "::ffff:10.0.0.5" },
      'bindAddress | "::ffff:10.0.0.5" is an IPv4 address in another spelling: write 10.0.0.5',
    ],
    [{ clientPort: 4222.5 }, "clientPort | 4222.5 is not a whole number"],
    [{ clientPort: 70_000 }, "clientPort | 70000 is more than 65535"],
    [{ rollout: "zones" }, 'rollout | "zones" is not zone or node or all'],
    [{ keepVolumes: "yes" }, 'keepVolumes | "yes" is not true or false'],
    [{ streams: { A: 1 } }, "streams.A | 1 is not a map of settings"],
  ])("refuses %j", (raw, problem) => {
    expect(problemsOf(raw)).toEqual([problem]);
  });

  test("quotes no more of a value than its start", () => {
    const [problem = ""] = problemsOf({ user: "x".repeat(1_000) });
    expect(problem).toMatch(/^user \| "x{79}… must be at most 128 characters long$/);
  });

  test.each([
    [{}, "none", "127.0.0.1"],
    [{ bindAddress: "127.0.0.2" }, "none", "127.0.0.2"],
    [{ bindAddress: "0.0.0.0" }, "stack", "127.0.0.1"],
    [{ bindAddress: "10.0.0.5" }, "stack", "127.0.0.1"],
    [{ bindAddress: "10.0.0.5", tls: "none", monitorAddress: "10.0.0.5" }, "none", "10.0.0.5"],
    [{ tls: "stack" }, "stack", "127.0.0.1"],
    [{ tlsFiles: { ca: "a", cert: "b", key: "c" } }, "files", "127.0.0.1"],
  ])("%j means TLS by %s, and pages at %s", (raw, tls, monitorAddress) => {
    expect(parseSettings(raw, identity)).toMatchObject({ tls, monitorAddress });
  });

  test.each([
    [{ tls: "maybe" }, "tls"],
    [{ tls: "files", tlsFiles: { ca: "a" } }, "tlsFiles.cert", "tlsFiles.key"],
    [{ tlsFiles: { ca: "a", cert: "b", kee: "c" } }, "tlsFiles.kee"],
    [{ tls: "stack", tlsFiles: { ca: "a", cert: "b", key: "c" } }, "tlsFiles"],
    [{ certificateLifetime: "4y" }, "certificateLifetime"],
    [{ certificateLifetime: "1200d" }, "certificateLifetime"],
    [{ certificateLifetime: "1s" }, "certificateLifetime"],
    [
      { certificateNames: ["nats.example.com", "no name", "-"] },
      "certificateNames[1]",
      "certificateNames[2]",
    ],
  ])("refuses %j", (raw, ...paths) => {
    expect(problemsOf(raw).map((problem) => problem.split(" | ")[0])).toEqual(paths);
  });

  test("writes sync intervals in nats-server's words", () => {
    expect(parseSettings({ syncInterval: "1d" }, identity).syncInterval).toBe("86400000ms");
    expect(parseSettings({ syncInterval: "1s" }, identity).syncInterval).toBe("1000ms");
  });

  test("refuses what isn't a set of settings at all", () => {
    expect(problemsOf("regions")).toHaveLength(1);
    expect(problemsOf(null)).toHaveLength(1);
  });
});

test("decodeSettings reads a stack's config, misspelt names too, and no password", () => {
  const config = {
    "nats-regions:cluster": "123",
    "nats-regions:regions": '["rg1"]',
    "nats-regions:nodesPerZone": "two",
    "nats-regions:pasword": "x",
    "nats-regions:password": "secret",
    "docker:host": "elsewhere",
  };
  expect(decodeSettings(config, "nats-regions")).toEqual({
    cluster: "123",
    regions: ["rg1"],
    nodesPerZone: "two",
    pasword: "x",
    password: PASSWORD_PLACEHOLDER,
  });
});
