import { once } from "node:events";
import { connect as connectTo, createServer, type Server as TcpServer } from "node:net";
import { promisify } from "node:util";
import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { managerSeed, publicKeyOf, signNonce } from "../../lib/accounts/nkeys.ts";
import {
  ACCOUNT_NAMES,
  CONSUMERS,
  HEALTH,
  JETSTREAM,
  type Question,
  ROUTED_INTEREST,
  ROUTES,
  STREAMS,
  subscriptionsOf,
  VARIABLES,
} from "../../lib/observed/questions.ts";
import { closeConnections, closeUnused, withClient } from "../../live/jetstream/clients.ts";
import { openJetStream } from "../../live/jetstream/jetstream.ts";
import { askNode, REQUEST_MS } from "../../live/monitoring/ask-node.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { freePorts } from "../support/own-ports.ts";

/** The name of the first is contained in that of the second. */
const NAMES = ["n1", "n1-2", "n3"] as const;

describe("servers that are asked by the system account", () => {
  let cluster: TestCluster;

  const node = (name: string): Monitor & { address: string; seed: string } => {
    const { address, seed } = cluster.monitors.find((each) => each.name === name) ?? {};
    if (!address || !seed) throw new Error(`there is no ${name}`);
    return { name, address, seed };
  };

  beforeAll(async () => {
    const servers = NAMES.map((name, index) => ({ name, cluster: "c1", tags: [`az:${index}`] }));
    cluster = await startCluster(servers);
    const port = openJetStream(cluster.connection, cluster.account);
    await port.create({ name: "S", subjects: ["s.>"], num_replicas: 3 });
  });

  afterAll(async () => {
    await closeConnections();
    await cluster.stop();
  });

  test.each<[string, Question]>([
    ["their variables", VARIABLES],
    ["their health", HEALTH],
    ["JetStream and its meta group", JETSTREAM],
    ["streams", STREAMS],
    ["streams and consumers", CONSUMERS],
    ["accounts", ACCOUNT_NAMES],
    ["routes", ROUTES],
    ["the interest that routes brought", ROUTED_INTEREST],
    ["an account's subscriptions", subscriptionsOf("APP")],
  ])("tell of %s what their pages show", async (_, question) => {
    for (const [name, url] of cluster.pages) {
      const [told, shown] = await Promise.all([
        askNode(node(name), question),
        askNode({ name, url }, question),
      ]);
      expect(shape(told)).toEqual(shape(shown));
      expect(shape(told)).not.toEqual([]);
    }
  });

  test("answer for themselves, though one's name is in another's", async () => {
    const names = NAMES.map(async (name) => {
      const page = (await askNode(node(name), VARIABLES)) as { server_name: string };
      return page.server_name;
    });
    expect(await Promise.all(names)).toEqual([...NAMES]);
    // Through the other, which would be the first to answer.
    const through = { ...node("n1"), address: node("n1-2").address };
    expect(await askNode(through, VARIABLES)).toMatchObject({ server_name: "n1" });
  });

  test("let the login ask, and do nothing else", async () => {
    const { address, seed } = node("n1");
    const authenticator = (nonce = "") => ({
      nkey: publicKeyOf(seed),
      sig: signNonce(seed, nonce),
    });
    const client = await connect({ servers: address, authenticator });
    const { server_id: id = "" } = client.info ?? {};
    for (const subject of [
      `$SYS.REQ.SERVER.${id}.RELOAD`,
      `$SYS.REQ.SERVER.${id}.KICK`,
      `$SYS.REQ.SERVER.PING.CONNZ`,
      `$SYS.REQ.SERVER.PING.PROFILEZ`,
      "$JS.API.SERVER.REMOVE",
      "$JS.API.META.LEADER.STEPDOWN",
      "anything",
    ]) {
      await expect(client.request(subject, "{}", { timeout: 1_000 }), subject).rejects.toThrow(
        /permission/i,
      );
    }
    const heard = client.subscribe("$SYS.>");
    await expect(heard[Symbol.asyncIterator]().next()).rejects.toThrow(/permission/i);
    await client.close();
  });

  test("are asked through others where nobody reaches them from here", async () => {
    const [closed = 0] = await freePorts(1);
    await using mute = await listenMutely();
    for (const address of [`127.0.0.1:${closed}`, mute.address]) {
      const unreachable = { ...node("n3"), address };
      await closeUnused();
      await expect(askNode(unreachable, HEALTH), "nobody else was asked yet").rejects.toThrow();
      await askNode(node("n1"), HEALTH);
      expect(await askNode(unreachable, VARIABLES)).toMatchObject({ server_name: "n3" });
      // The same way leads to nobody who isn't there.
      await expect(askNode({ ...unreachable, name: "n4" }, HEALTH)).rejects.toThrow();
    }
    // A connection to a server that hangs would keep this process alive.
    await eventually(async () => (await mute.connections()) === 0);
  });

  test("are asked through others where they take no more connections, and say so where there is none", async () => {
    const full = "-ERR 'maximum connections exceeded'\r\n";
    await using other = await listenMutely(full);
    const unreachable = { ...node("n3"), address: other.address };
    await closeConnections();
    await expect(askNode(unreachable, HEALTH)).rejects.toThrow(
      `no NATS server answers at ${other.address} (it says: maximum connections exceeded)`,
    );
    await askNode(node("n1"), HEALTH);
    expect(await askNode(unreachable, VARIABLES)).toMatchObject({ server_name: "n3" });
  });

  test("have the time for each step of a long way to them", async () => {
    await using far = await delayed(node("n1").address, 350);
    await closeConnections();
    const began = performance.now();
    const page = await askNode({ ...node("n1"), address: far.address }, VARIABLES);
    expect(page).toMatchObject({ server_name: "n1" });
    expect(performance.now() - began).toBeGreaterThan(REQUEST_MS);
  });

  test("are asked through whichever other is reached, and not through those that aren't either", async () => {
    await using mute = await listenMutely();
    await using other = await listenMutely();
    await closeConnections();
    const order: string[] = [];
    const note = async (work: Promise<unknown>, what: string, failed = what) =>
      await work.then(
        () => order.push(what),
        () => order.push(failed),
      );
    // Its connection is the first one to be tried.
    const far = { ...node("n1"), address: mute.address };
    const { seed } = far;
    const connection = { urls: [far.address], seed };
    const session = { connection, account: "$SYS", endsWithServer: true, cluster: seed } as const;
    await Promise.all([
      note(
        withClient(session, () => Promise.resolve()),
        "n1 is reached",
        "n1 isn't reached",
      ),
      note(askNode({ ...node("n3"), address: other.address }, VARIABLES, 15_000), "n3 is asked"),
      note(askNode(node("n1-2"), VARIABLES), "n1-2 is asked"),
    ]);
    expect(order).toEqual(["n1-2 is asked", "n3 is asked", "n1 isn't reached"]);
  });

  test("are asked while their nkey changes, each by the one that it accepts", async () => {
    const { seed: old } = node("n1");
    const [changed, other] = ["next", "other"].map((key) =>
      managerSeed(Buffer.alloc(32, key).toString("base64"), "$SYS"),
    );
    if (changed === undefined || other === undefined) throw new Error("there are two seeds");
    let reads = 0;
    const asked = (name: string, seeds: readonly string[]) => {
      const allSeeds = () => {
        reads += 1;
        return Promise.resolve(seeds);
      };
      return askNode({ ...node(name), allSeeds }, VARIABLES);
    };
    await closeConnections();
    await cluster.rekey("n1", changed);
    // Nobody else has a connection through which n1 could be asked.
    await expect(asked("n1", [])).rejects.toThrow("is not accepted");
    await expect(asked("n1", [old, other])).rejects.toThrow("is not accepted");
    expect(await asked("n1", [old, changed])).toMatchObject({ server_name: "n1" });
    expect(reads).toBe(3);
    expect(await asked("n1", [])).toMatchObject({ server_name: "n1" });
    expect(await asked("n1-2", [])).toMatchObject({ server_name: "n1-2" });
    expect(reads, "what was accepted once is shown again").toBe(3);
    // A node that nobody reaches is asked through those with either.
    await using mute = await listenMutely();
    await closeUnused();
    await asked("n1", []);
    expect(await askNode({ ...node("n3"), address: mute.address }, HEALTH)).toBeDefined();
    await cluster.rekey("n1", old);
    // It ends the connection by the other one after its reload, maybe while it is asked there.
    await eventually(async () => {
      expect(await asked("n1", [old, changed])).toMatchObject({ server_name: "n1" });
      return true;
    });
  });

  test("hold nobody up while one of them hangs, and it is silent itself", async () => {
    await Promise.all(NAMES.map((name) => askNode(node(name), HEALTH)));
    await cluster.pause("n3");
    try {
      const order: string[] = [];
      const asked = NAMES.map((name) =>
        askNode(node(name), JETSTREAM, 15_000).then(
          () => order.push(`${name} answers`),
          () => order.push(`${name} is silent`),
        ),
      );
      await Promise.all(asked);
      expect(order.slice(0, 2).sort()).toEqual(["n1 answers", "n1-2 answers"]);
      expect(order[2]).toBe("n3 is silent");
    } finally {
      cluster.resume("n3");
    }
  });
});

/** The keys of an answer with those of its parts: what changes from one look to the next is left out. */
function shape(page: unknown): string[] {
  const own = (value: unknown, path: string): string[] => {
    if (Array.isArray(value)) return value.flatMap((each) => own(each, `${path}[]`));
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, part]) => [
      `${path}.${key}`,
      ...own(part, `${path}.${key}`),
    ]);
  };
  return [...new Set(own(page, ""))].filter((key) => !FLEETING.test(key)).sort();
}

/** Keys that are there now and then, or are of the page alone. */
const FLEETING =
  /http_req_stats|status_code|\.(idle|rtt|lag|active|pending_size|last_|in_|out_|limit|total)/;

/** Leads to a server, and holds what both say for some milliseconds. */
async function delayed(
  target: string,
  milliseconds: number,
): Promise<AsyncDisposable & Pick<MuteServer, "address">> {
  const [host, to] = target.split(":");
  const server: TcpServer = createServer((near) => {
    const far = connectTo(Number(to), host);
    for (const [from, onto] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (words) => setTimeout(() => onto.write(words), milliseconds));
      from.on("close", () => onto.destroy()).on("error", () => undefined);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await Promise.resolve();
    },
  };
}

interface MuteServer extends AsyncDisposable {
  readonly address: string;
  /** How many there are. */
  readonly connections: () => Promise<number>;
}

/** Accepts connections and never says a word, unless it is given some. */
async function listenMutely(words?: string): Promise<MuteServer> {
  const server: TcpServer = createServer((socket) => {
    if (words !== undefined) socket.end(words);
    socket.resume().on("error", () => undefined);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    connections: promisify(server.getConnections.bind(server)),
    async [Symbol.asyncDispose]() {
      server.close();
      await Promise.resolve();
    },
  };
}
