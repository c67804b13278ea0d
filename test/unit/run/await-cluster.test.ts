import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { mayGoOn, type Wave } from "../../../run/await-cluster.ts";
import { endOf, FakeCluster, type Moment } from "../../support/fake-cluster.ts";
import { clusterWith, NODES, streamOn } from "../../support/observed.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HOSTS = ["rg3-az1", "rg3-az2", "rg3-az3"];
const WELL: Moment = { observed: clusterWith([streamOn("S", HOSTS)]) };
const ILL: Moment = { observed: clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az3"] })]) };

const pass = (cluster: FakeCluster, wave: Partial<Wave> = {}) => {
  const whole: Wave = {
    purpose: "replicas",
    nodes: NODES,
    later: [],
    lacked: new Set(),
    patience: 60_000,
    ...wave,
  };
  return endOf((say) => mayGoOn(whole, cluster, say), vi.runAllTimersAsync);
};

describe("the gate behind a wave", () => {
  test("opens for members at one look, which asks for no streams", async () => {
    const cluster = new FakeCluster(WELL);
    expect(await pass(cluster, { purpose: "members" })).toEqual({ opens: true, said: [] });
    expect(cluster.observations).toEqual([]);
  });

  test("opens for replicas at the second of two looks at all nodes", async () => {
    const cluster = new FakeCluster(WELL);
    expect(await pass(cluster)).toEqual({ opens: true, said: [] });
    expect(cluster.observations).toEqual([NODES, NODES]);
  });

  test("waits for replicas, and asks for them now and then only", async () => {
    const looks = 80;
    const cluster = new FakeCluster(ILL, ...Array.from({ length: looks }, () => ILL), WELL);
    const { opens, said } = await pass(cluster);
    expect(opens).toBe(true);
    expect(said[0]).toMatch(/^waiting for the cluster: .*'APP > S' is not current/);
    expect(cluster.observations.length).toBeLessThan(looks / 4);
  });

  test("doesn't wait for what the cluster lacked before", async () => {
    const lacked = new Set(["APP > stream S: rg3-az3"]);
    expect(await pass(new FakeCluster(ILL), { lacked })).toEqual({ opens: true, said: [] });
  });

  test("stays shut once nothing has moved for too long, and says what becomes of the rest", async () => {
    const cluster = new FakeCluster(ILL);
    cluster.kills = "rg3-az3 was killed for memory";
    const { opens, said } = await pass(cluster);
    expect(opens).toBe(false);
    expect(said.at(-1)).toMatch(
      /nothing has moved for 60 s: .*; rg3-az3 was killed for memory\. Nodes of later waves are as they were/,
    );
  });

  test("stays shut at once for a node that doesn't stay up", async () => {
    const cluster = new FakeCluster(ILL);
    cluster.crash = "dev-rg3-az3 doesn't stay up";
    const { opens, said } = await pass(cluster);
    expect(opens).toBe(false);
    expect(said).toEqual([expect.stringMatching(/^dev-rg3-az3 doesn't stay up\. Nodes of later/)]);
  });

  test("waits for an engine that is restarted, and stays shut without, however well nodes are", async () => {
    const away = { ...WELL, silence: "the Docker engine doesn't answer (down)" };
    expect(await pass(new FakeCluster(away, WELL))).toEqual({ opens: true, said: [] });
    const { opens, said } = await pass(new FakeCluster(away));
    expect(opens).toBe(false);
    expect(said.at(-1)).toMatch(/moved for 60 s: the Docker engine doesn't answer \(down\)\./);
  });

  test("looks at nodes that leave as well, where the engine has them", async () => {
    const cluster = new FakeCluster(WELL);
    const [leaving, ...staying] = NODES;
    await pass(cluster, { nodes: staying });
    expect(cluster.observations.at(-1)).toEqual([...staying, leaving]);
  });
});
