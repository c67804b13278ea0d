import { describe, expect, test } from "vitest";
import { EngineMap, enginesSchema } from "../../../lib/topology/engines.ts";
import { problemsOf } from "../../support/problems.ts";

const place = (region: string, zone: string) => ({ name: `${region}-${zone}`, region, zone });
const PLACES = ["rg1", "rg2"].flatMap((region) => ["az1", "az2"].map((az) => place(region, az)));

const enginesOf = (raw: unknown) => new EngineMap(enginesSchema.parse(raw));
const keyOf = (engines: EngineMap, region: string, zone: string) =>
  engines.find({ region, zone })?.key;

const issuesOf = (raw: object) =>
  enginesSchema.safeParse(raw).error?.issues.map(({ message }) => message) ?? [];

const M1 = { host: "ssh://nats@10.0.1.5" };
const M2 = { host: "ssh://nats@10.0.2.5:2222" };

describe("engines", () => {
  test("are at the host's address, and publish on all addresses, unless they say otherwise", () => {
    const engines = enginesOf({
      rg1: M1,
      "rg2-az1": {
        host: "far",
        address: "rg2.example.com",
        bindAddress: "10.0.2.5",
      },
      "rg2-az2": { host: "ssh://10.0.3.5", ssh: ["IdentityFile=~/.ssh/rg2", "Port=22"] },
    });
    expect(engines.all).toEqual([
      { key: "rg1", ...M1, address: "10.0.1.5", bindAddress: "0.0.0.0", ssh: [] },
      {
        key: "rg2-az1",
        host: "far",
        address: "rg2.example.com",
        bindAddress: "10.0.2.5",
        ssh: [],
      },
      {
        key: "rg2-az2",
        host: "ssh://10.0.3.5",
        address: "10.0.3.5",
        bindAddress: "0.0.0.0",
        ssh: ["IdentityFile=~/.ssh/rg2", "Port=22"],
      },
    ]);
    expect(engines.problems(PLACES)).toEqual([]);
  });

  test("have a node's zone, or else its region", () => {
    const engines = enginesOf({ rg1: M1, "rg1-az2": M2, rg2: { host: "tcp://10.0.3.5:2376" } });
    expect(keyOf(engines, "rg1", "az1")).toBe("rg1");
    expect(keyOf(engines, "rg1", "az2")).toBe("rg1-az2");
    expect(keyOf(engines, "rg2", "az2")).toBe("rg2");
    expect(keyOf(engines, "rg3", "az1")).toBeUndefined();
    expect(enginesOf({}).find(place("rg1", "az1"))).toBeUndefined();
  });

  test("are one by several keys with one host, by the first key, in whichever order they come", () => {
    for (const raw of [
      { rg1: M1, rg2: M1, "rg2-az2": M2 },
      { "rg2-az2": M2, rg2: M1, rg1: M1 },
    ]) {
      const engines = enginesOf(raw);
      expect(engines.all.map(({ key }) => key)).toEqual(["rg1", "rg2-az2"]);
      expect(keyOf(engines, "rg2", "az1")).toBe("rg1");
      expect(keyOf(engines, "rg2", "az2")).toBe("rg2-az2");
      expect(engines.problems(PLACES)).toEqual([]);
    }
  });

  test.each<[string, object, string[]]>([
    [
      "a key of no place",
      { rg1: M1, rg2: M1, rg9: M2 },
      ["engines.rg9 | is neither a region nor a zone of one | use rg1, rg2, or e.g. rg1-az1"],
    ],
    [
      "nodes without an engine",
      { rg1: M1, "rg2-az1": M2 },
      ["engines | no engine for rg2-az2 | name one for each region, or for none"],
    ],
    [
      "a context whose machine nobody knows",
      { rg1: M1, rg2: { host: "far" } },
      [
        "engines.rg2.address | far doesn't say where its machine is | set the address by which other nodes and clients reach its machine",
      ],
    ],
    ...["127.0.0.1", "localhost", "m.LOCALHOST", "::1", "0.0.0.0", "::", "fe80::5"].map(
      (address): [string, object, string[]] => [
        `${address}, which is another machine to each`,
        { rg1: M1, rg2: { ...M2, address } },
        [
          `engines.rg2.address | ${address} can't be reached from the other machines | set an address of the machine's network`,
        ],
      ],
    ),
    ...[
      ["2001:db8::5", "10.0.2.5"],
      ["2001:db8::5", "0.0.0.0"],
      ["10.0.2.5", "2001:db8::5"],
      ["10.0.2.5", "::"],
    ].map(([address, bindAddress]): [string, object, string[]] => [
      `an address on which no port is published, ${address}`,
      { rg1: M1, rg2: { ...M2, address, bindAddress } },
      [
        `engines.rg2.bindAddress | ports on ${bindAddress} aren't reached at ${address} | leave it out, or set an address of the same kind`,
      ],
    ]),
    [
      "ports that only the machine itself reaches",
      { rg1: M1, rg2: { ...M2, bindAddress: "127.0.0.1" } },
      [
        "engines.rg2.address | 127.0.0.1 can't be reached from the other machines | set an address of the machine's network",
      ],
    ],
    [
      "options of ssh where docker is told of none",
      { rg1: M1, rg2: { host: "far", address: "10.0.2.5", ssh: ["Port=2222"] } },
      ["engines.rg2.ssh | not used with far | use host: ssh://…, or set them in ~/.ssh/config"],
    ],
    ...["tcp://10.0.2.5:2376", "tcp://127.example.com:2375"].map(
      (host): [string, object, string[]] => [
        `${host} without certificates`,
        { rg1: M1, rg2: { host, address: "10.0.2.5" } },
        [
          `engines.rg2.host | ${host} without certificates makes everybody root who reaches it | have it ask for certificates, and set certPath; or use ssh://…`,
        ],
      ],
    ),
    [
      "a tcp host without its port, for which docker and the provider take another one",
      { rg1: M1, rg2: { host: "tcp://10.0.2.5", certPath: "certificates" } },
      ["engines.rg2.host | tcp://10.0.2.5 has no port | say it, e.g. tcp://10.0.1.5:2376"],
    ],
    [
      "certificates where none are used",
      { rg1: M1, rg2: { ...M2, certPath: "certificates" } },
      [
        "engines.rg2.certPath | not used with ssh://nats@10.0.2.5:2222 | use it with host: tcp://… alone",
      ],
    ],
    [
      "one engine that is reached by two certificates",
      {
        rg1: { host: "tcp://m1:2376", certPath: "a" },
        rg2: { host: "tcp://m1:2376", certPath: "b" },
      },
      ["engines.rg2.certPath | tcp://m1:2376 has a for rg1 already | give both the same certPath"],
    ],
    [
      "one engine that is described in two ways",
      {
        rg1: { ...M1, ssh: ["Port=2222"] },
        rg2: { ...M1, address: "10.9.9.9", bindAddress: "10.0.1.5" },
      },
      [
        "engines.rg2.address | ssh://nats@10.0.1.5 has 10.0.1.5 for rg1 already | give both the same address",
        "engines.rg2.bindAddress | ssh://nats@10.0.1.5 has 0.0.0.0 for rg1 already | give both the same bindAddress",
        "engines.rg2.ssh | ssh://nats@10.0.1.5 has Port=2222 for rg1 already | give both the same ssh",
      ],
    ],
  ])("are refused with %s", (_, raw, problems) => {
    expect(problemsOf(() => enginesOf(raw).problems(PLACES))).toEqual(problems);
  });

  test("may be by tcp with certificates, by a port of this machine without, and by a socket", () => {
    const engines = enginesOf({
      rg1: { host: "tcp://10.0.1.5:2376", certPath: "~/certificates" },
      "rg2-az1": { host: "tcp://127.0.0.1:2375", address: "10.0.2.5" },
      "rg2-az2": { host: "unix:///run/other.sock", address: "10.0.2.5" },
    });
    expect(engines.problems(PLACES)).toEqual([]);
    expect(engines.all.map(({ address, certPath }) => [address, certPath])).toEqual([
      ["10.0.1.5", "~/certificates"],
      ["10.0.2.5", undefined],
      ["10.0.2.5", undefined],
    ]);
  });

  test("have IPv6 addresses, in whichever spelling", () => {
    const engines = enginesOf({
      rg1: { host: "ssh://nats@[2001:DB8:0::1]:22" },
      rg2: { host: "ssh://nats@[2001:db8::1]:22", address: "2001:DB8:0:0::1" },
    });
    expect(engines.problems(PLACES)).toEqual([]);
    const one = { address: "2001:db8::1", bindAddress: "::", host: "ssh://nats@[2001:db8::1]:22" };
    expect(engines.all).toEqual([{ key: "rg1", ssh: [], ...one }]);
  });

  test("needn't be there", () => {
    expect(enginesOf({}).problems(PLACES)).toEqual([]);
  });

  test.each<[object, string]>([
    [
      { host: "ssh://" },
      '"ssh://" is neither a URL, e.g. ssh://nats@10.0.1.5, nor a docker context',
    ],
    [{ host: "a context" }, '"a context" is neither a URL'],
    [{ host: "-H" }, '"-H" is neither a URL'],
    [{ host: "http://10.0.1.5" }, '"http://10.0.1.5" is neither a URL'],
    [{ ...M1, address: "a b" }, '"a b" is neither an IP address nor a host name'],
    [{ ...M1, address: "127.1" }, '"127.1" is neither an IP address nor a host name'],
    [{ ...M1, address: "fe80::1%eth0" }, '"fe80::1%eth0" is neither an IP address nor a host name'],
    [
      { ...M1, address: "::ffff:127.0.0.1" },
      '"::ffff:127.0.0.1" is an IPv4 address in another spelling: write 127.0.0.1',
    ],
    [{ ...M1, bindAddress: "m1" }, '"m1" is not an IP address, e.g. 127.0.0.1 or ::1'],
    [{ ...M1, ssh: ["-i key"] }, '"-i key" is no option of ssh as Name=value'],
    [{ ...M1, ssh: ["Port="] }, '"Port=" is no option of ssh as Name=value'],
    [{ ...M1, ssh: ["Port=1\nProxyCommand=x"] }, "is no option of ssh as Name=value"],
    [{ ...M1, user: "nats" }, '"user"'],
    [{}, "expected string"],
  ])("are no engine: %j", (engine, words) => {
    expect(issuesOf({ rg1: engine }).join("\n")).toContain(words);
  });

  test("take no key in the place of its folder, and don't say it", () => {
    for (const certPath of ["-----BEGIN PRIVATE KEY-----", "-----BEGIN\ns3cret", ""]) {
      expect(issuesOf({ rg1: { ...M1, certPath } })).toEqual(["not the path of a folder"]);
    }
  });

  test("take no password, which the state would keep, and don't say it", () => {
    for (const host of ["ssh://nats:s3cret@10.0.1.5", "ssh://nats:s3cret@", "tcp://:s3cret@m"]) {
      expect(issuesOf({ rg1: { host } })).toEqual([
        "a host has no password; let ssh log in with a key",
      ]);
    }
  });
});
