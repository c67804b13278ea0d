import { describe, expect, test } from "vitest";
import type {
  ObservedCluster,
  ObservedServer,
  ObservedStream,
} from "../../../lib/observed/observed.ts";
import { nodesOf } from "../../../lib/plan/plan.ts";
import {
  describeShortages,
  needsStreams,
  type ObservedRoom,
} from "../../../lib/update/room-changes.ts";
import { planOf } from "../../support/cluster-report.ts";

const MIB = 1024 ** 2;
const STORES = { maxFileStore: "1GiB", maxMemoryStore: "64MiB" };
const RG1 = ["rg1-az1", "rg1-az2", "rg1-az3"];

/** A stream as it is found, with a size in MiB. */
function streamOf(name: string, size: number, more: Partial<ObservedStream> = {}): ObservedStream {
  const { config, hosts = RG1, ...rest } = more;
  return {
    account: "APP",
    name,
    hosts,
    leader: hosts[0] ?? "",
    ill: [],
    pending: [],
    isChanging: false,
    messages: 0,
    bytes: 0,
    behind: 0,
    consumers: [],
    ...rest,
    config: {
      name,
      subjects: [name],
      num_replicas: hosts.length,
      max_bytes: size * MIB,
      placement: { tags: ["rg:1"] },
      ...config,
    },
  };
}

/** What is said beside shortages of streams that aren't in the settings. */
const others = (held: string) =>
  `streams that aren't in the settings hold room as well (${held}): one that leaves is deleted after all else, so let it leave by an up of its own`;

/** Servers as planned with the given settings, and what they hold. */
function clusterOf(
  settings: object,
  streams: readonly ObservedStream[],
  used: Readonly<Record<string, number>> = {},
): { readonly room: ObservedRoom; readonly observed: ObservedCluster } {
  const plan = planOf(settings);
  const servers = nodesOf(plan).map(({ name, conf }): ObservedServer => {
    const reservedIn = (kind: "file" | "memory") =>
      streams
        .filter(({ hosts, config }) => hosts.includes(name) && (config.storage ?? "file") === kind)
        .reduce((sum, { config }) => sum + Math.max(0, config.max_bytes ?? 0), 0);
    return {
      name,
      file: {
        max: conf.maxFileStore,
        reserved: reservedIn("file"),
        used: (used[name] ?? 0) * MIB,
      },
      memory: { max: conf.maxMemoryStore, reserved: reservedIn("memory"), used: 0 },
    };
  });
  const accounts = plan.accounts.map(({ name, jetStream }) => {
    const limit = jetStream === false ? undefined : jetStream.maxFileStore;
    const stored = (used[name] ?? 0) * MIB;
    return {
      name,
      file: { ...(limit === undefined ? {} : { limit }), used: stored },
      memory: { used: 0 },
    };
  });
  return {
    room: { servers, accounts, metaLeader: "rg3-az3" },
    observed: { servers, silent: [], streams },
  };
}

/** What is said of settings, given a cluster. */
function shortages(settings: object, { room, observed }: ReturnType<typeof clusterOf>): string[] {
  const plan = planOf(settings);
  const said = describeShortages(plan, room, observed);
  // What would be refused is looked at.
  if (said.length > 0) expect(needsStreams(plan, room)).toBe(true);
  return said;
}

const planned = (maxBytes: string, more: object = {}) => ({
  replicas: 3,
  maxBytes,
  placement: { region: "rg1" },
  ...more,
});

const SMALLER =
  "keep maxFileStore, or first lower maxBytes, empty streams or move them, by an up of its own";

describe("a node's store", () => {
  const streams = { BIG: planned("400MiB") };

  test("isn't lowered below what streams reserve there, those outside the settings too", () => {
    const cluster = clusterOf({ ...STORES, streams }, [
      streamOf("BIG", 400),
      streamOf("LOOSE", 200, { hosts: ["rg1-az1"] }),
    ]);
    expect(shortages({ maxFileStore: "500MiB", streams }, cluster)).toEqual([
      `maxFileStore 1GiB → 500MiB: rg1-az1 has 600MiB reserved (BIG 400MiB, LOOSE 200MiB); ${SMALLER}`,
    ]);
  });

  test("isn't lowered below what is stored there", () => {
    const stored = { "rg1-az1": 300, "rg1-az2": 300 };
    const cluster = clusterOf(STORES, [streamOf("LOOSE", 0, { hosts: RG1.slice(0, 2) })], stored);
    expect(shortages({ maxFileStore: "128MiB" }, cluster)).toEqual([
      `maxFileStore 1GiB → 128MiB: rg1-az1, rg1-az2, each stores 300 MiB; ${SMALLER}`,
    ]);
  });

  test("isn't lowered to what streams reserve where others, without a size, need a byte", () => {
    const cluster = clusterOf({ ...STORES, streams }, [
      streamOf("BIG", 400, { hosts: ["rg1-az1"] }),
      streamOf("ANY", 0, { hosts: ["rg1-az1"] }),
    ]);
    expect(shortages({ maxFileStore: "400MiB" }, cluster)).toEqual([
      `maxFileStore 1GiB → 400MiB: rg1-az1 leaves nothing for ANY; ${SMALLER}`,
    ]);
  });

  test("is lowered to what is there, and raised to get out", () => {
    const cluster = clusterOf({ ...STORES, streams }, [streamOf("BIG", 400)]);
    expect(shortages({ maxFileStore: "400MiB", streams }, cluster)).toEqual([]);
    const full = clusterOf({ maxFileStore: "200MiB" }, [streamOf("BIG", 400)]);
    expect(shortages({ maxFileStore: "500MiB", streams }, full)).toEqual([]);
    expect(shortages({ maxFileStore: "200MiB" }, full)).toEqual([]);
  });
});

describe("an account's limit", () => {
  const app = (maxFileStore: string) => ({ accounts: { APP: { jetStream: { maxFileStore } } } });

  test("isn't lowered below what it stores, as no message would be taken", () => {
    const cluster = clusterOf(app("300MiB"), [streamOf("ANY", 0)], { APP: 86 });
    expect(shortages(app("50MiB"), cluster)).toEqual([
      "accounts.APP.jetStream.maxFileStore 300MiB → 50MiB: the account stores 86.0 MiB, so that no message would be taken; replicas are counted; set it higher, or first empty streams or lower their maxBytes or replicas, by an up of its own",
    ]);
    expect(shortages(app("90MiB"), cluster)).toEqual([]);
  });

  test("isn't set below what its streams reserve, those outside the settings too", () => {
    const streams = { BIG: planned("40MiB") };
    const cluster = clusterOf({ streams }, [
      streamOf("BIG", 40),
      streamOf("LOOSE", 10, { hosts: ["rg1-az1"] }),
    ]);
    expect(shortages({ streams, ...app("120MiB") }, cluster)).toEqual([
      "accounts.APP.jetStream.maxFileStore unlimited → 120MiB: the account has 130MiB reserved (BIG 3 x 40MiB, LOOSE 10MiB); replicas are counted; set it higher, or first empty streams or lower their maxBytes or replicas, by an up of its own",
    ]);
  });

  test("isn't told of where it is as it was, whatever is there", () => {
    const cluster = clusterOf(app("50MiB"), [streamOf("LOOSE", 40)], { APP: 86 });
    expect(shortages(app("50MiB"), cluster)).toEqual([]);
  });

  test("counts what is outside the settings against a stream that comes", () => {
    const settings = { streams: { NEW: planned("10MiB") }, ...app("100MiB") };
    const cluster = clusterOf(app("100MiB"), [streamOf("LOOSE", 30)]);
    expect(shortages(settings, cluster)).toEqual([
      "stream NEW: account APP may store 100MiB (maxFileStore), its other streams reserve 90MiB, and this one would reserve 30MiB, replicas counted; lower maxBytes or replicas, or raise that limit",
      others("LOOSE 3 x 30MiB"),
    ]);
  });
});

describe("streams", () => {
  test("aren't made where others, outside the settings, have reserved the room", () => {
    const streams = { NEW: planned("300MiB") };
    const cluster = clusterOf(STORES, [streamOf("LOOSE", 900, { hosts: ["rg1-az2"] })]);
    expect(shortages({ streams }, cluster)).toEqual([
      'stream NEW: needs 3 servers tagged rg:1 that differ in their "az:" tag with room for 300MiB in file, but there are only 2 (rg1-az1, rg1-az3) (124MiB free on rg1-az2); lower maxBytes, place it elsewhere, or raise maxFileStore',
      others("LOOSE 900MiB"),
    ]);
    expect(shortages({ maxFileStore: "1200MiB", streams }, cluster)).toEqual([]);
  });

  test("don't grow on nodes that are full, nor past the meta leader's own room", () => {
    const streams = { A: planned("300MiB") };
    const full = clusterOf({ ...STORES, streams }, [
      streamOf("A", 100),
      streamOf("LOOSE", 900, { hosts: ["rg1-az2"] }),
    ]);
    expect(shortages({ streams }, full)).toEqual([
      "stream A: it would reserve 200MiB more on each of its nodes, but rg1-az2 has 1000MiB of 1GiB reserved; lower maxBytes, or raise maxFileStore",
      others("LOOSE 900MiB"),
    ]);
    const led = clusterOf(STORES, [
      streamOf("A", 100),
      streamOf("LOOSE", 900, { hosts: ["rg3-az3"] }),
    ]);
    expect(shortages({ streams }, led)).toEqual([
      "stream A: it would reserve 200MiB more on each of its nodes, but rg3-az3, the meta leader, has 900MiB of 1GiB reserved; lower maxBytes, or raise maxFileStore",
      others("LOOSE 900MiB"),
    ]);
  });

  test("don't move onto nodes that have their own reservation, which counts again", () => {
    const streams = { A: { ...planned("600MiB"), placement: { tags: ["xr:123"] } } };
    const cluster = clusterOf({ ...STORES, streams }, [streamOf("A", 600)]);
    expect(shortages({ streams }, cluster)).toEqual([
      'stream A: needs 3 servers tagged xr:123 that differ in their "az:" tag with room for 600MiB in file, but there are only 2 (rg2-az2, rg3-az3) (424MiB free on rg1-az1); lower maxBytes, place it elsewhere, or raise maxFileStore',
    ]);
  });

  test("don't get more replicas than there is room for beside those that they have", () => {
    const streams = { A: planned("600MiB") };
    const cluster = clusterOf({ ...STORES, streams }, [
      streamOf("A", 600, { hosts: ["rg1-az1"] }),
      streamOf("LOOSE", 500, { hosts: ["rg1-az3"] }),
    ]);
    expect(shortages({ streams }, cluster)).toEqual([
      'stream A: needs 3 servers tagged rg:1 that differ in their "az:" tag with room for 600MiB in file, but there are only 2 (rg1-az1, rg1-az2) (524MiB free on rg1-az3); lower maxBytes, place it elsewhere, or raise maxFileStore',
      others("LOOSE 500MiB"),
    ]);
    const alone = clusterOf(STORES, [streamOf("A", 600, { hosts: ["rg1-az1"] })]);
    expect(shortages({ streams }, alone)).toEqual([]);
  });

  test("that fit one by one, but not together, are told together", () => {
    const streams = { A: planned("300MiB"), B: planned("300MiB") };
    const cluster = clusterOf(STORES, [streamOf("LOOSE", 500, { hosts: ["rg1-az1"] })]);
    expect(shortages({ streams }, cluster)).toEqual([
      "rg1-az1: A 300MiB, B 300MiB, together 600MiB, but there is room for 524MiB, beside what is there; raise maxFileStore, lower maxBytes, or place them apart",
      others("LOOSE 500MiB"),
    ]);
  });

  test("of the settings that give up room make it for others", () => {
    const streams = { A: planned("100MiB"), B: planned("700MiB") };
    const cluster = clusterOf({ ...STORES, streams }, [streamOf("A", 800)]);
    expect(shortages({ streams }, cluster)).toEqual([]);
  });

  test("stay as they are in a cluster that is full to the last byte", () => {
    const streams = { A: planned("1GiB") };
    const cluster = clusterOf({ ...STORES, streams }, [streamOf("A", 1_024)]);
    expect(shortages({ streams }, cluster)).toEqual([]);
  });

  test("don't leave nodes for others that have no room", () => {
    const zones = ["az1", "az2", "az3", "az4"];
    const cluster = clusterOf({ ...STORES, availabilityZones: zones }, [
      streamOf("SOLO", 600, { hosts: ["rg1-az4"] }),
      streamOf("LOOSE", 400),
    ]);
    expect(shortages({}, cluster)).toEqual([]);
    const full = clusterOf({ ...STORES, availabilityZones: zones }, [
      streamOf("SOLO", 600, { hosts: ["rg1-az4"] }),
      streamOf("LOOSE", 500),
    ]);
    expect(shortages({}, full)).toEqual([
      "stream SOLO of account APP can't leave rg1-az4: needs 1 server tagged rg:1 with room for 600MiB in file, but there is none (524MiB free on rg1-az1, rg1-az2, rg1-az3)",
      others("LOOSE 3 x 500MiB, SOLO 600MiB"),
    ]);
  });
});

describe("a stream that is made anew", () => {
  const ROOMY = { maxMemoryStore: "1GiB", memory: "2GiB" };
  const anew = (maxBytes: string, policy: object) => ({
    maxFileStore: "1GiB",
    streams: { A: planned(maxBytes, { storage: "memory", ...policy }) },
    ...ROOMY,
  });
  const holding = (size: number, stored: number) =>
    clusterOf(
      { ...STORES, ...ROOMY },
      [streamOf("A", size, { bytes: stored * MIB })],
      Object.fromEntries(RG1.map((node) => [node, stored])),
    );

  test("needs room for a copy beside it, whatever is reserved", () => {
    const viaBackup = { recreate: "viaBackup" };
    expect(shortages(anew("900MiB", viaBackup), holding(900, 500))).toEqual([]);
    expect(shortages(anew("900MiB", viaBackup), holding(900, 600))).toEqual([
      'stream A: the copy that recreate: viaBackup makes of it first needs 3 servers tagged rg:1 that differ in their "az:" tag with room for 600MiB in file, but there is none (424MiB free on rg1-az1, rg1-az2, rg1-az3); raise maxFileStore, or make room there first',
    ]);
    expect(shortages(anew("900MiB", { allowDataLoss: true }), holding(900, 600))).toEqual([]);
  });

  test("finds the room that the one before it had, and no more", () => {
    const same = {
      streams: { A: planned("900MiB", { retention: "workqueue", recreate: "viaBackup" }) },
    };
    expect(shortages(same, clusterOf(STORES, [streamOf("A", 900)]))).toEqual([]);
    const memory = {
      name: "LOOSE",
      storage: "memory",
      num_replicas: 3,
      max_bytes: 600 * MIB,
    } as const;
    const beside = clusterOf({ ...STORES, ...ROOMY }, [
      streamOf("A", 500),
      streamOf("LOOSE", 600, { config: memory }),
    ]);
    expect(shortages(anew("500MiB", { recreate: "viaBackup" }), beside)).toEqual([
      expect.stringContaining("with room for 500MiB in memory, but there is none (424MiB free"),
      others("LOOSE 3 x 600MiB"),
    ]);
  });
});

test("streams needn't be looked at where all would fit twice, nor where no server answers", () => {
  const streams = { A: planned("400MiB") };
  const { room } = clusterOf({ ...STORES, streams }, [streamOf("A", 400)]);
  expect(needsStreams(planOf({ streams }), room)).toBe(false);
  expect(needsStreams(planOf({ streams: { A: planned("700MiB") } }), room)).toBe(true);
  const nobody = { servers: [], accounts: [], metaLeader: "" };
  expect(needsStreams(planOf({ streams }), nobody)).toBe(false);
});
