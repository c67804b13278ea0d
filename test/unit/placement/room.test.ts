import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planPlacement, planSeating } from "../../../lib/placement/placement.ts";
import { type Demand, demandsOf, findOverloads, freeIn } from "../../../lib/placement/room.ts";
import { refusalOf, type Stores } from "../../../lib/placement/room-check.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { problemsOf } from "../../support/problems.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const identity = { project: "nats-regions", stack: "dev" };

function refusals(raw: object): string[] {
  return problemsOf(() => {
    planCluster(parseSettings(raw, identity));
    return [];
  });
}

/** Streams of three replicas in rg1, whose nodes have 1GiB each, by the size that they reserve. */
function streamsOf(sizes: Readonly<Record<string, string>>, more: object = {}) {
  return Object.fromEntries(
    Object.entries(sizes).map(([name, maxBytes]) => [
      name,
      { replicas: 3, placement: { region: "rg1" }, maxBytes, ...more },
    ]),
  );
}

const APP = (jetStream: object) => ({ accounts: { APP: { jetStream } } });

describe("room by the settings", () => {
  test.each([
    [
      "a stream larger than any node's store",
      { streams: streamsOf({ BIG: "20GiB" }) },
      [
        'streams.BIG.maxBytes | needs 3 servers tagged rg:1 that differ in their "az:" tag with room for 20GiB in file, but there is none (1GiB free on rg1-az1, rg1-az2, rg1-az3) | lower it, or raise maxFileStore',
      ],
    ],
    [
      "a stream larger than any node's memory store",
      { streams: { M: { storage: "memory", maxBytes: "65MiB", placement: { region: "rg1" } } } },
      [
        "streams.M.maxBytes | needs 1 server tagged rg:1 with room for 65MiB in memory, but there is none (64MiB free on rg1-az1, rg1-az2, rg1-az3) | lower it, or raise maxMemoryStore",
      ],
    ],
    [
      "streams that fill the same nodes",
      { streams: streamsOf({ A: "700MiB", B: "400MiB" }) },
      [
        "maxFileStore | rg1-az1, rg1-az2, rg1-az3, each: A 700MiB, B 400MiB, together 1100MiB, but there is room for 1GiB | raise maxFileStore, lower maxBytes, or place them apart",
      ],
    ],
    [
      "streams that fill the same nodes' memory",
      { streams: streamsOf({ A: "40MiB", B: "40MiB" }, { storage: "memory" }) },
      [
        "maxMemoryStore | rg1-az1, rg1-az2, rg1-az3, each: A 40MiB, B 40MiB, together 80MiB, but there is room for 64MiB | raise maxMemoryStore, lower maxBytes, or place them apart",
      ],
    ],
    [
      "more large replicas than there are nodes to choose from, though the sum would do",
      {
        streams: streamsOf({ A: "600MiB", B: "600MiB", C: "600MiB", D: "600MiB" }, { replicas: 1 }),
      },
      [
        "maxFileStore | rg1-az1, rg1-az2, rg1-az3: A 600MiB, B 600MiB, C 600MiB, D 600MiB: 4 replicas of 600MiB or more, but only 3 fit | raise maxFileStore, lower maxBytes, or place them apart",
      ],
    ],
    [
      "anything in memory where there is none for it",
      { maxMemoryStore: "0", streams: { M: { storage: "memory" } } },
      [
        "streams.M.storage | nodes have no room for anything in memory (maxMemoryStore: 0) | raise maxMemoryStore",
      ],
    ],
    [
      "a stream larger than its account lets one be",
      { streams: streamsOf({ A: "51MiB" }), ...APP({ maxFileStreamBytes: "50MiB" }) },
      [
        "streams.A.maxBytes | 51MiB is more than account APP lets a stream have (maxFileStreamBytes: 50MiB) | lower it, or raise that limit",
      ],
    ],
    [
      "a stream whose replicas are more than its account may store",
      { streams: streamsOf({ A: "50MiB" }), ...APP({ maxFileStore: "100MiB" }) },
      [
        "streams.A.maxBytes | 3 replicas of 50MiB is more than account APP may store (maxFileStore: 100MiB) | lower it or replicas, or raise that limit",
      ],
    ],
    [
      "streams that are more than their account may store only together",
      { streams: streamsOf({ A: "50MiB", B: "40MiB" }), ...APP({ maxFileStore: "200MiB" }) },
      [
        "accounts.APP.jetStream.maxFileStore | 200MiB, but its streams reserve 270MiB: A 3 x 50MiB, B 3 x 40MiB | raise it, or lower maxBytes or replicas",
      ],
    ],
    [
      "a stream without a size where its account may store nothing",
      { streams: { A: {} }, ...APP({ maxFileStore: "0" }) },
      [
        "streams.A.maxBytes | a stream is more than account APP may store (maxFileStore: 0 B) | lower it or replicas, or raise that limit",
      ],
    ],
    [
      "a memory store that doesn't fit into the container's memory",
      { memory: "64MiB", maxMemoryStore: "8GiB" },
      [
        "maxMemoryStore | 8GiB is more than half of memory: 64MiB; a node whose streams in memory fill up would be killed, and all of their replicas alike | use 32MiB at most, or set memory to 16GiB",
      ],
    ],
    [
      "the default of the memory store in the smallest container, where a stream is in memory",
      { memory: "64MiB", streams: { A: {}, M: { storage: "memory" } } },
      [
        "maxMemoryStore | 64MiB is more than half of memory: 64MiB; a node whose streams in memory fill up would be killed, and all of their replicas alike | use 32MiB at most, or set memory to 128MiB",
      ],
    ],
  ])("refuses %s", (_, settings, problems) => {
    expect(refusals(settings)).toEqual(problems);
  });

  test.each([
    ["the defaults", {}],
    [
      "the default of the memory store in the smallest container",
      { memory: "64MiB", streams: { A: {} } },
    ],
    [
      "streams in memory in the smallest container that the default fits into",
      { memory: "128MiB", streams: { M: { storage: "memory" } } },
    ],
    ["half of the memory", { memory: "256MiB", maxMemoryStore: "128MiB" }],
    [
      "nodes that are filled to the last byte",
      { streams: streamsOf({ A: "624MiB", B: "400MiB" }) },
    ],
    ["streams without a size", { streams: { A: { replicas: 3 }, B: { storage: "memory" } } }],
    [
      "an account that is filled to the last byte",
      { streams: streamsOf({ A: "50MiB" }), ...APP({ maxFileStore: "150MiB" }) },
    ],
    [
      "what one account reserves beside another",
      {
        streams: { A: { maxBytes: "50MiB" }, B: { maxBytes: "50MiB", account: "OTHER" } },
        accounts: {
          APP: { jetStream: { maxFileStore: "50MiB" } },
          OTHER: {
            users: { x: { nkey: "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF" } },
          },
        },
      },
    ],
  ])("takes %s", (_, settings) => {
    expect(refusals(settings)).toEqual([]);
  });
});

test("what is used beyond what is reserved can't be reserved either", () => {
  expect(freeIn({ max: 100, reserved: 30, used: 40 })).toBe(60);
  expect(freeIn({ max: 100, reserved: 130, used: 0 })).toBe(0);
});

test("a server is passed over for its room as nats-server does it, before its unique tag is looked at", () => {
  const servers = SEED_FLEET.servers.map((server) => ({
    ...server,
    room: { file: server.name === "rg1-az2" ? 10 : 100, memory: 0 },
  }));
  const request = {
    replicas: 3,
    tags: ["rg:1"],
    reservation: { storage: "file", bytes: 11 },
  } as const;
  expect(planPlacement(request, { ...SEED_FLEET, servers })).toEqual({
    kind: "impossible",
    serverError: "no suitable peers for placement, insufficient storage, tags not matched ['rg:1']",
    summary:
      'needs 3 servers tagged rg:1 that differ in their "az:" tag with room for 11 B in file, but there are only 2 (rg1-az1, rg1-az3) (10 B free on rg1-az2)',
    nearest: [
      { name: "rg1-az2", lacks: "10 B free" },
      { name: "rg2-az2", lacks: "not tagged rg:1" },
      { name: "rg3-az2", lacks: "not tagged rg:1" },
    ],
    shortOf: "file",
  });
});

describe("findOverloads", () => {
  const server = fc.constantFrom("a", "b", "c", "d");
  const stream = fc
    .record({
      servers: fc.uniqueArray(server, { minLength: 1 }),
      replicas: fc.integer({ min: 1, max: 3 }),
      bytes: fc.integer({ min: 1, max: 10 }),
    })
    .filter(({ servers, replicas }) => servers.length >= replicas);
  const rooms = fc.record({
    a: fc.nat(12),
    b: fc.nat(12),
    c: fc.nat(12),
    d: fc.nat(12),
  });

  test("refuses only what can't be placed in any way, and always where there is no choice", () => {
    fc.assert(
      fc.property(fc.array(stream, { maxLength: 5 }), rooms, (streams, room) => {
        const demands = streams.flatMap(({ servers, replicas, bytes }, index) =>
          demandsOf(`S${index}`, { replicas, seats: servers.map((name) => [name]) }, bytes),
        );
        const refused = findOverloads(demands, (name) => room[name as keyof typeof room]);
        const fits = canPlace(streams, new Map(Object.entries(room)));
        if (refused.length > 0) expect(fits).toBe(false);
        const isFixed = streams.every(({ servers, replicas }) => servers.length === replicas);
        if (isFixed) expect(refused.length > 0).toBe(!fits);
      }),
      { numRuns: 2_000 },
    );
  });

  /** By trying all ways. */
  function canPlace(
    [first, ...rest]: readonly Omit<Demand, "stream">[],
    room: ReadonlyMap<string, number>,
  ): boolean {
    if (!first) return true;
    const { servers, replicas, bytes } = first;
    return choices(servers, replicas).some((hosts) => {
      const left = new Map(room);
      for (const host of hosts) left.set(host, (left.get(host) ?? 0) - bytes);
      return hosts.every((host) => (left.get(host) ?? 0) >= 0) && canPlace(rest, left);
    });
  }

  function choices(servers: readonly string[], count: number): string[][] {
    const [first, ...rest] = servers;
    if (count === 0) return [[]];
    if (first === undefined) return [];
    return [
      ...choices(rest, count - 1).map((others) => [first, ...others]),
      ...choices(rest, count),
    ];
  }

  test("counts what must be in a zone, whichever of its nodes it is on", () => {
    const seating = { replicas: 2, seats: [["a", "b"], ["c"]] };
    const demands = ["X", "Y", "Z"].flatMap((name) => demandsOf(name, seating, 6));
    expect(
      findOverloads(demands, () => 10).map(({ servers, wanted }) => [servers, wanted]),
    ).toEqual([
      [["c"], 18],
      [["a", "b"], 18],
    ]);
  });
});

test("a fleet whose room nobody knows has enough of it", () => {
  const reservation = { storage: "file", bytes: 1e15 } as const;
  const { seats } = planSeating({ replicas: 3, tags: ["rg:2"], reservation }, SEED_FLEET);
  expect(seats).toHaveLength(3);
});

test("a store that is reserved to the last byte has no room for a stream with a size, and takes one without", () => {
  const full = { max: 1024, reserved: 1024, used: 0 };
  const view = {
    fleet: SEED_FLEET,
    stores: new Map(
      SEED_FLEET.servers.map(({ name }): [string, Stores] => [name, { file: full, memory: full }]),
    ),
    metaLeader: "rg1-az1",
    limits: undefined,
    others: [],
  };
  const config = { name: "S", num_replicas: 3, placement: { tags: ["rg:2"] } };
  expect(refusalOf({ account: "APP", config: { ...config, max_bytes: 1 } }, view)?.code).toBe(
    10005,
  );
  expect(refusalOf({ account: "APP", config }, view)).toBeUndefined();
});
