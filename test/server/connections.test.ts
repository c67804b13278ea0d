import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  closeConnections,
  closeUnused,
  type Session,
  sessionsOf,
  withClient,
} from "../../live/jetstream/clients.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { freePorts } from "../support/own-ports.ts";

describe("connections that a process shares", () => {
  let cluster: TestCluster;
  let session: Session;
  let seed: string;

  beforeAll(async () => {
    cluster = await startCluster([1, 2].map((n) => ({ name: `n${n}`, cluster: "c1", tags: [] })));
    const { address = "", seed: known = "" } = cluster.monitors[0] ?? {};
    seed = known;
    session = { connection: { urls: [address], seed }, account: "$SYS", cluster: "c1" };
  });
  afterEach(closeConnections);
  afterAll(() => cluster.stop());

  /** The connections that the first server has. */
  const open = async (): Promise<readonly number[]> => {
    const response = await fetch(`${cluster.pages.get("n1")}/connz`);
    const { connections } = (await response.json()) as {
      connections: readonly { cid: number; name?: string }[];
    };
    return connections.filter(({ name }) => name === "nats-regions").map(({ cid }) => cid);
  };
  const none = () => eventually(async () => (await open()).length === 0);

  test("are one for each login, whoever uses it", async () => {
    const ids = await Promise.all(
      [1, 2, 3].map(() =>
        withClient(session, async ({ info }) => Promise.resolve(info?.client_id)),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await open()).toEqual([ids[0]]);
    expect(sessionsOf("c1")).toEqual([session]);
    expect(sessionsOf("c2")).toEqual([]);
  });

  test("close at once where nobody uses them, and are made anew when needed", async () => {
    const idOf = () =>
      withClient(session, async (client) => {
        await client.flush();
        return client.info?.client_id ?? 0;
      });
    const first = await idOf();
    await closeUnused();
    await none();
    expect(sessionsOf("c1")).toEqual([]);
    const second = await idOf();
    expect(second).toBeGreaterThan(first);
    // Whoever comes as it closes gets another one.
    const [, third] = await Promise.all([closeUnused(), idOf()]);
    expect(third).toBeGreaterThan(second);
  });

  test("stay while somebody waits for an answer", async () => {
    const ending = Promise.withResolvers<void>();
    const used = withClient(session, async (client) => {
      await ending.promise;
      return client.isClosed();
    });
    await eventually(async () => (await open()).length === 1);
    await closeUnused();
    expect(await open()).toHaveLength(1);
    ending.resolve();
    expect(await used).toBe(false);
    await closeUnused();
    await none();
  });

  test("that can't be made are forgotten, and hold nobody up who ends", async () => {
    const [port = 0] = await freePorts(1);
    const nowhere = { ...session, connection: { urls: [`127.0.0.1:${port}`], seed } };
    const used = withClient(nowhere, () => Promise.resolve());
    await closeUnused();
    await expect(used).rejects.toThrow(`no NATS server answers at 127.0.0.1:${port}`);
    expect(sessionsOf("c1")).toEqual([]);
    await closeUnused();
  });

  test("all close at the end of a script", async () => {
    const used = withClient(session, (client) => client.closed());
    await eventually(async () => (await open()).length === 1);
    await closeConnections();
    await used;
    await none();
  });
});
