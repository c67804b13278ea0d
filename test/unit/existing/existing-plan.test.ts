import { describe, expect, test } from "vitest";
import type { OldestServer } from "../../../lib/existing/api-levels.ts";
import { type KnownCluster, planExisting } from "../../../lib/existing/existing-plan.ts";
import { parseExisting } from "../../../lib/existing/existing-settings.ts";
import { knownFleet } from "../../../lib/existing/fleet.ts";
import type { Fleet } from "../../../lib/placement/placement.ts";
import { plannedHosts } from "../../../lib/placement/placement.ts";
import { refusalsOf } from "../../support/problems.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const NEWEST: OldestServer = { server: "rg1-az1", version: [2, 15, 2], apiLevel: 5 };

function known(fleet: Fleet, oldest: OldestServer = NEWEST): KnownCluster {
  return { fleet, gaps: [], accounts: [{ name: "APP", limits: {} }], oldest };
}

const UNKNOWN = knownFleet("c1", { hasSystemLogin: false });

function settingsOf(streams: object, more: object = {}) {
  return parseExisting({ servers: ["nats://n1"], streams, ...more }, "program");
}

function plan(streams: object, cluster: KnownCluster = known(SEED_FLEET), more: object = {}) {
  return planExisting(settingsOf(streams, more), cluster);
}

function hostsOf(stream: object, cluster?: KnownCluster, more?: object) {
  const [planned] = plan({ S: { replicas: 3, ...stream } }, cluster, more).streams;
  return planned && { hosts: plannedHosts(planned.placement), config: planned.config };
}

describe("a fleet that is known", () => {
  test("has regions and zones by the prefixes of its tags", () => {
    expect(hostsOf({ placement: { region: "2" } })).toMatchObject({
      hosts: ["rg2-az1", "rg2-az2", "rg2-az3"],
      config: { placement: { tags: ["rg:2"] } },
    });
    const servers = SEED_FLEET.servers.map(({ tags, ...server }) => ({
      ...server,
      tags: tags.map((tag) => tag.replace("rg:", "region:eu-").replace("az:", "zone:")),
    }));
    const elsewhere = known({ ...SEED_FLEET, uniqueTag: "zone:", servers });
    const prefixes = { regionTag: "region:", zoneTag: "zone:" };
    const placement = { region: "eu-3" };
    expect(hostsOf({ placement }, elsewhere, prefixes)).toMatchObject({
      hosts: ["rg3-az1", "rg3-az2", "rg3-az3"],
    });
    expect(
      plan({ S: { replicas: 3, placement, leader: { zone: "2" } } }, elsewhere, prefixes),
    ).toMatchObject({ streams: [{ policy: { leaders: ["rg3-az2"] } }] });
  });

  test("has zones across regions where a tag of the servers means just these", () => {
    expect(hostsOf({ placement: { across: { 1: "2", 2: "3", 3: "1" } } })).toMatchObject({
      hosts: ["rg1-az2", "rg2-az3", "rg3-az1"],
      config: { placement: { tags: ["xr:231"] } },
    });
    expect(hostsOf({ placement: { across: { 1: 1, 2: 1, 3: 1 } } })).toMatchObject({
      config: { placement: { tags: ["xr:123"] } },
    });
    const servers = SEED_FLEET.servers.map(({ tags, ...server }) => ({
      ...server,
      tags: tags.filter((tag) => tag !== "xr:123"),
    }));
    const lessTagged = known({ ...SEED_FLEET, servers });
    expect(hostsOf({ placement: { across: { 1: 1, 2: 1, 3: 1 } } }, lessTagged)).toMatchObject({
      config: { placement: { tags: ["xr:132"] } },
    });
    expect(
      refusalsOf(() => plan({ S: { replicas: 2, placement: { across: { 1: "1", 2: "2" } } } })),
    ).toEqual([
      "streams.S.placement.across | there is no tag that the servers in these zones have, and no others | give them one, or use region or tags",
    ]);
  });

  test("of several clusters takes streams in the one that they name", () => {
    const servers = SEED_FLEET.servers.map(({ name, tags }) => ({
      name,
      tags,
      cluster: name.slice(0, 3),
    }));
    const super3 = known({ cluster: "rg1", uniqueTag: "az:", servers });
    expect(hostsOf({}, super3)?.hosts).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
    expect(hostsOf({ placement: { cluster: "rg3" } }, super3)?.hosts).toEqual([
      "rg3-az1",
      "rg3-az2",
      "rg3-az3",
    ]);
    expect(refusalsOf(() => plan({ S: { placement: { cluster: "rg9" } } }, super3))).toEqual([
      expect.stringContaining('no server is in cluster "rg9" (clusters: rg1, rg2, rg3)'),
    ]);
  });

  test("takes no fields that its oldest server doesn't know", () => {
    const oldest: OldestServer = { server: "n7", version: [2, 11, 4], apiLevel: 1 };
    const streams = {
      S: {
        allowMsgTtl: true,
        allowAtomic: true,
        consumers: { w: { priorityPolicy: "overflow", priorityGroups: ["g"] } },
      },
      T: { allowAtomic: false },
    };
    expect(refusalsOf(() => plan(streams, known(SEED_FLEET, oldest)))).toEqual([
      "streams.S.allowAtomic | needs nats-server 2.12, and n7 is 2.11.4 | take it out, or upgrade the servers",
    ]);
    const older: OldestServer = { server: "n7", version: [2, 10, 29], apiLevel: 0 };
    expect(refusalsOf(() => plan({ S: {} }, known(SEED_FLEET, older)))).toEqual([
      "servers | n7 is nats-server 2.10.29 | this works with 2.11 and later: upgrade it first",
    ]);
  });

  test("has the limits that its account has", () => {
    const limited = {
      ...known(SEED_FLEET),
      accounts: [{ name: "APP", limits: { maxBytesRequired: true, maxFileStreamBytes: 1024 } }],
    };
    expect(refusalsOf(() => plan({ S: {}, T: { maxBytes: "1MiB" } }, limited))).toEqual([
      expect.stringMatching(/^streams\.S\.maxBytes \| account APP wants it of every stream/),
      expect.stringMatching(/^streams\.T\.maxBytes \| 1MiB is more than account APP lets a stream/),
    ]);
  });
});

describe("a fleet that nobody knows", () => {
  const cluster = { ...known(UNKNOWN.fleet), ...UNKNOWN };

  test("leaves hosts open, and says how they could be known", () => {
    const { streams } = plan(
      { S: { replicas: 3, placement: { region: "2" }, leader: { node: "n2" } } },
      cluster,
    );
    expect(streams).toMatchObject([
      {
        config: { placement: { tags: ["rg:2"] } },
        placement: { kind: "choice", candidates: [] },
        policy: { leaders: ["n2"] },
      },
    ]);
    expect(UNKNOWN.gaps).toEqual([
      expect.stringMatching(/give systemLogin.*or list them in topology/),
    ]);
  });

  test("refuses what only known servers can have", () => {
    const streams = { S: { placement: { across: { 1: 1 } }, leader: { region: "1" } } };
    expect(refusalsOf(() => plan(streams, cluster))).toEqual([
      "streams.S.placement.across | nobody has told where the servers are | give systemLogin or topology, or place it by tags",
      "streams.S.leader | nobody has told where the servers are | give systemLogin or topology, or name a node",
    ]);
  });
});

describe("servers that have told of themselves", () => {
  const told = {
    servers: SEED_FLEET.servers
      .filter(({ name }) => name !== "rg2-az2")
      .map((server) => ({ ...server, version: [2, 15, 2] as const, apiLevel: 5 })),
    uniqueTag: "az:",
    silent: ["rg2-az2"],
  };

  test("are no fleet without a member of the meta group that is silent", () => {
    const { fleet, gaps } = knownFleet("c1", { hasSystemLogin: true }, told);
    expect(fleet).toMatchObject({ unknown: true, servers: [] });
    expect(gaps).toEqual([expect.stringMatching(/^rg2-az2 doesn't answer, .*topology/)]);
  });

  test("are one with it, if the settings have its tags", () => {
    const servers = [{ name: "rg2-az2", tags: ["rg:2", "az:2"] }];
    const topology = { uniqueTag: "", servers };
    const { fleet, gaps } = knownFleet("c1", { hasSystemLogin: true, topology }, told);
    expect(gaps).toEqual([]);
    expect(fleet.uniqueTag).toBe("az:");
    expect(fleet.servers.map(({ name }) => name)).toEqual(
      SEED_FLEET.servers.map(({ name }) => name),
    );
  });
});
