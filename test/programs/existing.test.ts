import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { LibraryProgram } from "../support/library.ts";
import { NatsClient } from "../support/nats-client.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { Traffic } from "../support/traffic.ts";

const ORDERS = { subjects: ["orders.*"], replicas: 3, placement: { region: "2" } };
const EVENTS = {
  subjects: ["events.*"],
  replicas: 3,
  placement: { across: { 1: "1", 2: "2", 3: "3" } },
  consumers: { worker: { ackWait: "1m" } },
};
const LOGIN = { user: "user", password: "user" };
const SYSTEM = { user: "sys", password: "sys" };

/** A program with a cluster that others run. */
function programText(args: object): string {
  return `
import { ExistingCluster } from "nats-regions";

const cluster = new ExistingCluster("prod", ${JSON.stringify(args)});

export const { placements } = cluster;
`;
}

const outputs = z.object({
  placements: z.record(
    z.string(),
    z.object({ account: z.string(), replicas: z.array(z.string()) }),
  ),
});

/** One program on the nine servers of the seed, its whole life: each test goes on where the one before ended. */
describe("a program with a cluster that others run", () => {
  let cluster: TestCluster;
  let program: LibraryProgram;
  let clientUrls: Record<string, string>;
  let byHand: NatsClient;
  let isDown = false;

  const run = (...args: string[]) => program.expectPulumi(...args);
  const write = (args: object) => {
    const { urls: servers } = cluster.connection;
    const text = programText({ servers, login: LOGIN, systemLogin: SYSTEM, ...args });
    program.write({ file: "index.ts", type: "module", typescript: false, text });
  };
  const refusal = async (args: object) => {
    write(args);
    const { exitCode, text } = await program.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).not.toContain("error serializing");
    // Above that, the CLI shows the same in a line of its table.
    return text.slice(text.indexOf("Diagnostics:"));
  };

  beforeAll(async () => {
    cluster = await startCluster();
    clientUrls = Object.fromEntries(
      cluster.fleet.servers.map(({ name }, index) => [name, cluster.connection.urls[index] ?? ""]),
    );
    byHand = await NatsClient.connect({ clientUrls }, "user", "user");
    const { error } = await byHand.create("ORDERS", {
      subjects: ["orders.*"],
      num_replicas: 3,
      placement: { tags: ["rg:2"] },
      max_msgs: 1_000_000,
    });
    expect(error).toBeUndefined();
    await byHand.publish("orders.first", "from before");
    await byHand.create("THEIRS", { subjects: ["theirs.*"] });
    program = await LibraryProgram.install({
      file: "index.ts",
      type: "module",
      typescript: false,
      text: programText({ servers: [], streams: {} }),
    });
  });

  afterAll(async () => {
    await byHand?.[Symbol.asyncDispose]();
    await program?.remove();
    if (!isDown) await cluster?.stop();
  });

  test("is told which hosts streams will have, and of a stream that is there", async () => {
    const text = await refusal({ streams: { EVENTS, ORDERS } });
    expect(text).toMatch(/stream ORDERS exists in account APP already with 1 message.*adopt: true/);
    write({ streams: { EVENTS, ORDERS: { ...ORDERS, adopt: true } } });
    const preview = await run("preview", "--diff");
    for (const host of ["rg1-az1", "rg2-az2", "rg3-az3", "rg2-az1", "rg2-az3"]) {
      expect(preview).toContain(host);
    }
    expect(preview).toMatch(/ORDERS is there already, and is adopted with 1 message/);
  });

  test("brings its streams up where it said, and nothing else", async () => {
    await run("up", "--yes", "--skip-preview");
    expect(await byHand.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    expect(await byHand.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    expect(await byHand.payloads("ORDERS")).toEqual(["from before"]);
    const { placements } = outputs.parse(await program.outputs());
    expect(placements).toMatchObject({
      EVENTS: { account: "APP", replicas: ["rg1-az1", "rg2-az2", "rg3-az3"] },
    });
    await run("preview", "--expect-no-changes");
    await run("refresh", "--yes", "--expect-no-changes");
  });

  test("moves a stream in use with every message", async () => {
    await byHand.purge("ORDERS");
    const there = { clientUrls };
    await using traffic = await Traffic.start(there, ["EVENTS", "ORDERS"], "ORDERS", LOGIN);
    write({
      streams: { EVENTS, ORDERS: { ...ORDERS, placement: { tags: ["rg:3"] } } },
    });
    const preview = await run("preview", "--diff");
    expect(preview).toMatch(/ORDERS goes from rg2-az1, rg2-az2, rg2-az3 to rg3-az1, rg3-az2/);
    await traffic.during(() => run("up", "--yes", "--skip-preview"));
    expect(await byHand.hosts("ORDERS")).toEqual(["rg3-az1", "rg3-az2", "rg3-az3"]);
    for (const stream of ["EVENTS", "ORDERS"]) {
      const { acknowledged, ...audit } = await traffic.audit(stream);
      expect(acknowledged).toBeGreaterThan(50);
      expect(audit).toMatchObject({ missing: [], storedTwice: 0, givenUp: 0, versions: 1 });
    }
    await run("preview", "--expect-no-changes");
  });

  test("makes a bucket with its entries, and an object store, and lets go of both", async () => {
    const streams = { EVENTS, ORDERS: { ...ORDERS, placement: { tags: ["rg:3"] } } };
    const CONFIG = { replicas: 3, placement: { region: "2" }, entries: { color: "red" } };
    write({ streams, buckets: { CONFIG }, objectStores: { FILES: {} } });
    await run("up", "--yes", "--skip-preview");
    expect(await byHand.hosts("KV_CONFIG")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    expect(await byHand.payloads("KV_CONFIG")).toEqual(["red"]);
    await run("preview", "--expect-no-changes");
    write({ streams, buckets: { CONFIG: { ...CONFIG, allowDataLoss: true } } });
    await run("up", "--yes", "--skip-preview");
    expect(await byHand.names()).toEqual(["EVENTS", "KV_CONFIG", "ORDERS", "THEIRS"]);
    write({ streams });
    await run("up", "--yes", "--skip-preview");
    expect(await byHand.names()).toEqual(["EVENTS", "ORDERS", "THEIRS"]);
  });

  test("finds a stream that others have deleted, and a change by hand", async () => {
    await byHand.delete("EVENTS");
    const preview = await run("preview");
    expect(preview).toContain("EVENTS was there after the last up, and is gone");
    await run("up", "--yes", "--refresh");
    expect(await byHand.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    const { config } = await byHand.info("EVENTS");
    await byHand.update("EVENTS", { ...config, max_msgs: 5 });
    await run("up", "--yes", "--refresh");
    expect((await byHand.info("EVENTS")).config).toMatchObject({ max_msgs: -1 });
  });

  test("leaves streams where they are while a server is down, or nobody knows the servers", async () => {
    const ORDERS_IN_3 = { ...ORDERS, placement: { tags: ["rg:3"] } };
    await cluster.pause("rg1-az2");
    expect(await refusal({ streams: { EVENTS, ORDERS: ORDERS_IN_3 } })).toMatch(
      /EVENTS\.placement\.across: rg1-az2 doesn't answer, .*list it with tags in topology/,
    );
    const silent = { name: "rg1-az2", tags: ["rg:1", "az:2", "xr:213", "xr:231"] };
    const streams = { EVENTS: { ...EVENTS, placement: { tags: ["xr:123"] } } };
    for (const more of [
      { streams: { ...streams, ORDERS: ORDERS_IN_3 } },
      { streams: { EVENTS, ORDERS: ORDERS_IN_3 }, topology: { servers: [silent] } },
    ]) {
      write(more);
      await run("preview", "--expect-no-changes");
    }
    cluster.resume("rg1-az2");
    const unknown = { systemLogin: undefined };
    write({
      ...unknown,
      streams: { ...streams, ORDERS: { ...ORDERS, placement: { region: "3" } } },
    });
    expect(await run("preview", "--expect-no-changes")).toMatch(/hosts of streams are unknown/);

    write({ ...unknown, streams: { ...streams, ORDERS } });
    const preview = await run("preview");
    expect(preview).toMatch(/ORDERS goes from rg3-az1.* to 3 servers that the cluster chooses/);
    await run("up", "--yes", "--skip-preview");
    expect(await byHand.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    await run("preview", "--expect-no-changes");
    const { placements } = outputs.parse(await program.outputs());
    expect(placements.ORDERS?.replicas).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);

    const { uniqueTag, servers } = cluster.fleet;
    const told = servers.map(({ name, tags }) => ({ name, tags }));
    const topology = { uniqueTag, servers: told };
    write({ ...unknown, topology, streams: { EVENTS, ORDERS } });
    await run("up", "--yes", "--skip-preview");
    expect(await byHand.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    write({ streams: { EVENTS, ORDERS } });
    await run("preview", "--expect-no-changes");
  });

  test("says once what is in the way, before anything changes", async () => {
    const streams = { ORDERS: { ...ORDERS, placement: { region: "9" } } };
    expect(await refusal({ streams })).toMatch(
      /ExistingCluster prod: 2 problems in its args.*\n.*placement\.region: there is no region "9"; use 1, 2 or 3/,
    );
    const wrong = await refusal({ login: { user: "user", password: "wrong-Gnu" } });
    expect(wrong.match(/login: the servers say that user "user" is not accepted/g)).toHaveLength(1);
    expect(wrong).not.toContain("wrong-Gnu");
    expect(await refusal({ login: { user: "bare", password: "bare" } })).toMatch(
      /login: account BARE has no JetStream .*have it switched on there/,
    );
    expect(await refusal({ systemLogin: LOGIN })).toMatch(/systemLogin: .*system account/);
    expect(await refusal({ domain: "hub" })).toMatch(/no JetStream at \$JS\.hub\.API/);
  });

  test("refuses to destroy streams with messages, until they may go", async () => {
    write({ streams: { EVENTS, ORDERS } });
    const { exitCode, text } = await program.pulumi("destroy", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/stream ORDERS holds .* messages.*, which would be lost.*allowDataLoss/);
    expect(await byHand.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);

    write({ streams: { EVENTS, ORDERS: { ...ORDERS, allowDataLoss: true } } });
    await run("up", "--yes", "--skip-preview");
    await run("destroy", "--yes", "--skip-preview");
    expect(await byHand.names()).toEqual(["THEIRS"]);
  });

  test("says once that no server answers", async () => {
    await cluster.stop();
    isDown = true;
    const text = await refusal({ streams: { EVENTS } });
    expect(text.match(/no NATS server answers at/g)).toHaveLength(1);
  });
});
