import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createUser } from "@nats-io/nkeys";
import { execa } from "execa";
import fc from "fast-check";
import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Accounts } from "../../lib/accounts/accounts-conf.ts";
import { managerKey } from "../../lib/accounts/credentials.ts";
import { importProblems } from "../../lib/accounts/imports.ts";
import { managerSeed } from "../../lib/accounts/nkeys.ts";
import { configDigest, renderAccountsConf, renderNodeConf } from "../../lib/nodes/nats-conf.ts";
import { nodesOf } from "../../lib/plan/plan.ts";
import { AccessDenied, closeConnections, openJetStream } from "../../live/jetstream/jetstream.ts";
import { eventually } from "../support/eventually.ts";
import { NatsServer } from "../support/nats-server.ts";
import {
  accountsOf,
  PASSWORD_PLACEHOLDER,
  passwordOf,
  planOf,
} from "../support/planned-accounts.ts";
import { BINARY } from "../support/server-process.ts";

const batch = createUser();
const seedOf = (pair: ReturnType<typeof createUser>) => new TextDecoder().decode(pair.getSeed());

const ACCOUNTS = {
  APP: {
    imports: [
      { stream: { account: "BILLING", subject: "bills.*" }, prefix: "from" },
      { service: { account: "BILLING", subject: "price.*" }, to: "ask.price.*" },
    ],
  },
  BILLING: {
    users: {
      writer: {
        ...PASSWORD_PLACEHOLDER,
        permissions: {
          publish: { allow: ["bills.>"], deny: ["bills.secret"] },
          subscribe: { allow: ["_INBOX.>", "work.> workers"] },
        },
      },
      responder: {
        ...PASSWORD_PLACEHOLDER,
        permissions: {
          subscribe: { allow: ["price.*"] },
          allowResponses: { max: 1, ttl: "5s" },
        },
      },
      batch: { nkey: batch.getPublicKey() },
    },
    limits: { connections: 5, subscriptions: 20, payload: "1KiB" },
    jetStream: {
      maxFileStore: "100MiB",
      maxMemoryStore: "0",
      maxStreams: 1,
      maxConsumers: 10,
      maxAckPending: 100,
      maxFileStreamBytes: "50MiB",
      maxMemoryStreamBytes: "1MiB",
      maxBytesRequired: true,
    },
    exports: [
      { stream: "bills.*", accounts: ["APP"] },
      { service: "price.*", response: "single" },
    ],
  },
  BARE: {
    users: { bare: PASSWORD_PLACEHOLDER },
    jetStream: false,
    imports: [{ service: { account: "BILLING", subject: "price.oil" } }],
  },
};

test("an account that imports another's JetStream API by its own name has both do what is asked of it", async () => {
  const user = (name: string) => ({ users: [{ name }], limits: {}, jetStream: {} });
  const subject = "$JS.API.>";
  const accounts = [
    { ...user("a"), name: "A", exports: [{ service: subject }], imports: [] },
    { ...user("b"), name: "B", exports: [], imports: [{ service: { account: "A", subject } }] },
  ];
  const hashes = { sys: "sys", a: "a", b: "b" };
  await using server = await NatsServer.start({
    systemUser: "sys",
    accounts,
    hashes,
    managers: {},
  });
  const portOf = (name: string, account: string) =>
    openJetStream({ urls: [server.url], user: name, password: name }, account);
  const holds = async (account: string, stream: string) =>
    JSON.stringify(await server.page(`jsz?acc=${account}&streams=true`)).includes(`"${stream}"`);
  const [a, b] = [portOf("a", "A"), portOf("b", "B")];
  await a.create({ name: "S", subjects: ["s"] });
  await b.create({ name: "S", subjects: ["s"] });
  // Both are asked, and A may answer before B has it.
  await eventually(() => holds("B", "S"));
  await b.delete("S");
  await eventually(async () => (await a.names()).length === 0);
  await closeConnections();
  expect(importProblems(accounts).map(({ path }) => path)).toEqual(["accounts.B.imports[0].to"]);
});

describe("a server with all that accounts can have", () => {
  let server: NatsServer;
  let accounts: Accounts;
  const clients: NatsConnection[] = [];

  const keep = (client: NatsConnection) => {
    clients.push(client);
    return client;
  };
  const as = async (user: string) => keep(await server.connect(user, passwordOf(user)));
  const byNkey = async (seed = seedOf(batch)) => keep(await server.connect(seed));
  const answerPrices = async () => {
    const responder = await as("responder");
    responder.subscribe("price.*", { callback: (_, message) => void message.respond("12") });
    await responder.flush();
    return responder;
  };
  const api = async (client: NatsConnection, subject: string, body: object = {}) =>
    (await client.request(subject, JSON.stringify(body), { timeout: 2_000 })).json<{
      readonly error?: { readonly err_code: number };
    }>();
  /** What comes in at a subject until a moment after the last of the messages was sent. */
  const heard = async (client: NatsConnection, subject: string, send: () => Promise<void>) => {
    const subjects: string[] = [];
    const subscription = client.subscribe(subject, {
      callback: (error, message) => void (error ?? subjects.push(message.subject)),
    });
    await client.flush();
    await send();
    await client.flush();
    subscription.unsubscribe();
    return subjects;
  };
  /** Publishes in order; a server has handled all of it once it answers. */
  const publishing =
    (client: NatsConnection, ...subjects: string[]) =>
    async () => {
      for (const subject of subjects) client.publish(subject, "x");
      await client.flush();
    };

  beforeAll(async () => {
    accounts = await accountsOf(planOf(ACCOUNTS));
    server = await NatsServer.start(accounts);
  });

  afterEach(async () => {
    await closeConnections();
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  afterAll(() => server[Symbol.asyncDispose]());

  test("lets users in by password and by nkey, and nobody else", async () => {
    await as("user");
    await expect(server.connect("user", "wrong")).rejects.toThrow(/authorization/i);
    // A hash is not a password.
    await expect(server.connect("user", accounts.hashes.user)).rejects.toThrow(/authorization/i);
    await byNkey();
    await expect(byNkey(seedOf(createUser()))).rejects.toThrow(/authorization/i);
  });

  test("keeps users to what they may publish and subscribe to", async () => {
    const [writer, listener] = await Promise.all([as("writer"), byNkey()]);
    const subjects = ["bills.a", "bills.secret", "other"];
    expect(await heard(listener, ">", publishing(writer, ...subjects))).toEqual(["bills.a"]);
    const sent = publishing(listener, "work.a", "bills.b");
    expect(await heard(writer, "work.>", sent)).toEqual([]);
  });

  test("lets a responder answer, and nothing else", async () => {
    const [responder, user, listener] = await Promise.all([answerPrices(), as("user"), byNkey()]);
    const answer = await user.request("ask.price.oil", "", { timeout: 2_000 });
    expect(answer.string()).toBe("12");
    expect(await heard(listener, ">", publishing(responder, "bills.a"))).toEqual([]);
  });

  test("shares what is exported with those that import it", async () => {
    const [user, bare, writer] = await Promise.all([as("user"), as("bare"), as("writer")]);
    await answerPrices();
    expect(await heard(user, ">", publishing(writer, "bills.a"))).toContain("from.bills.a");
    expect(await heard(bare, ">", publishing(writer, "bills.a"))).toEqual([]);
    expect((await bare.request("price.oil", "", { timeout: 2_000 })).string()).toBe("12");
    await expect(bare.request("price.gas", "", { timeout: 500 })).rejects.toThrow(/responders/);
  });

  test("holds an account to its limits", async () => {
    const client = await byNkey();
    // The server tells of it once more when it knows who it is.
    await client.flush();
    expect(client.info?.max_payload).toBe(1024);
    const more = async () => {
      for (;;) await byNkey();
    };
    await expect(more()).rejects.toThrow();
    expect(clients).toHaveLength(5);

    for (let index = 0; index < 25; index++)
      client.subscribe(`sub.${index}`, { callback: () => {} });
    await client.flush();
    expect(await server.page("connz?acc=BILLING")).toMatchObject({
      connections: expect.arrayContaining([expect.objectContaining({ subscriptions: 20 })]),
    });
  });

  test("gives streams to accounts that have them, as many as they may", async () => {
    const client = await byNkey();
    const create = (name: string, config: object) =>
      api(client, `$JS.API.STREAM.CREATE.${name}`, { name, subjects: [name], ...config });
    const code = async (name: string, config: object) =>
      (await create(name, config)).error?.err_code;
    expect(await code("A", {})).toBe(10_113);
    expect(await code("A", { max_bytes: 60 * 1024 ** 2 })).toBe(10_122);
    expect(await code("A", { max_bytes: 1024 ** 2 })).toBeUndefined();
    expect(await code("B", { max_bytes: 1024 ** 2 })).toBe(10_027);
    const bare = await as("bare");
    expect((await api(bare, "$JS.API.INFO")).error?.err_code).toBe(10_039);
  });

  test("lets the stack itself at JetStream's API, and at nothing else", async () => {
    const key = await managerKey(passwordOf("sys"), "owner");
    const seed = managerSeed(key, "APP");
    const port = openJetStream({ urls: [server.url], seed }, "APP");
    await port.create({ name: "MANAGED", subjects: ["managed.*"] });
    expect(await port.names()).toEqual(["MANAGED"]);

    const [manager, user] = await Promise.all([byNkey(seed), as("user")]);
    expect(await heard(user, "managed.*", publishing(manager, "managed.a"))).toEqual([]);
    expect(await heard(manager, "managed.*", publishing(user, "managed.b"))).toEqual([]);

    const stranger = managerSeed(await managerKey("another", "owner"), "APP");
    const denied = openJetStream({ urls: [server.url], seed: stranger }, "APP").names();
    await expect(denied).rejects.toThrow(AccessDenied);
    await expect(denied).rejects.toThrow("the stack's own user of account APP is not accepted");
  });

  test("keeps the system account apart", async () => {
    const [user, sys] = await Promise.all([as("user"), as("sys")]);
    await expect(user.request("$SYS.REQ.SERVER.PING", "", { timeout: 500 })).rejects.toThrow(
      /responders/,
    );
    expect(await heard(user, "$SYS.>", publishing(sys, "$SYS.REQ.SERVER.PING"))).toEqual([]);
    expect(
      (await sys.request("$SYS.REQ.SERVER.PING", "", { timeout: 2_000 })).json(),
    ).toHaveProperty("server");
    const secrets = await heard(sys, ">", publishing(user, "orders.secret", "managed.c"));
    expect(secrets.filter((subject) => !subject.startsWith("$SYS."))).toEqual([]);
    expect((await api(sys, "$JS.API.INFO")).error?.err_code).toBe(10_039);
  });

  test("takes up what is changed by a reload, and leaves others connected", async () => {
    const user = await as("user");
    const { writer: _, ...users } = ACCOUNTS.BILLING.users;
    const changed = {
      ...ACCOUNTS,
      BILLING: { ...ACCOUNTS.BILLING, users: { ...users, second: PASSWORD_PLACEHOLDER } },
      BARE: { ...ACCOUNTS.BARE, jetStream: { maxStreams: 1 } },
      LATER: { users: { later: PASSWORD_PLACEHOLDER } },
    };
    const [writer, bare] = await Promise.all([as("writer"), as("bare")]);
    expect((await api(bare, "$JS.API.INFO")).error?.err_code).toBe(10_039);
    await server.reload(await accountsOf(planOf(changed)));
    expect(await api(bare, "$JS.API.INFO")).toMatchObject({ limits: { max_streams: 1 } });
    await writer.closed();
    await expect(server.connect("writer", passwordOf("writer"))).rejects.toThrow(/authorization/i);
    const later = await as("later");
    expect((await api(later, "$JS.API.INFO")).error).toBeUndefined();
    await as("second");
    expect(user.isClosed()).toBe(false);
    await user.flush();
  });
});

describe("nats-server", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
  });

  afterAll(() => rm(folder, { recursive: true }));

  const verdictOf = async (accounts: Accounts) => {
    const [node] = nodesOf(planOf({}));
    if (!node) throw new Error("no node");
    const file = path.join(folder, "nats.conf");
    await writeFile(file, renderNodeConf(node.conf));
    await writeFile(path.join(folder, "accounts.conf"), renderAccountsConf(accounts));
    const { all = "" } = await execa(BINARY, ["-t", "-c", file], { all: true, reject: false });
    return { said: all, digest: configDigest(node.conf, accounts) };
  };

  test("has the digest that is expected of all that accounts can have", async () => {
    const { said, digest } = await verdictOf(await accountsOf(planOf(ACCOUNTS)));
    expect(said).toContain(`(${digest})`);
  });

  test("takes whatever accounts may import from each other", async () => {
    const names = ["A", "B", "C"];
    const subject = fc.constantFrom("a", "a.b", "a.*", "a.>", "*", ">", "b.*", "b");
    const offer = fc.record(
      { kind: fc.constantFrom("stream", "service"), subject, accounts: fc.subarray(names) },
      { requiredKeys: ["kind", "subject"] },
    );
    const wanted = fc.record(
      {
        kind: fc.constantFrom("stream", "service"),
        account: fc.constantFrom(...names),
        subject,
        to: subject,
      },
      { requiredKeys: ["kind", "account", "subject"] },
    );
    const account = fc.record({
      exports: fc.array(offer, { maxLength: 3 }),
      imports: fc.array(wanted, { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.tuple(account, account, account), async (generated) => {
        const settings = Object.fromEntries(
          generated.map(({ exports, imports }, index) => [
            names[index],
            {
              exports: exports.map(({ kind, subject, accounts }) => ({
                [kind]: subject,
                ...(accounts?.length ? { accounts } : {}),
              })),
              imports: imports.map(({ kind, account, subject, to }) => ({
                [kind]: { account, subject },
                ...(to === undefined ? {} : { to }),
              })),
            },
          ]),
        );
        const plan = (() => {
          try {
            return planOf(settings);
          } catch {
            return undefined;
          }
        })();
        fc.pre(plan?.accounts.some(({ imports }) => imports.length > 0) === true);
        const { systemUser, accounts } = plan ?? planOf({});
        const hashes = { sys: "x", user: "x" };
        const { said } = await verdictOf({ systemUser, accounts, hashes, managers: {} });
        expect(said).toContain("is valid");
      }),
      { numRuns: 20, maxSkipsPerRun: 10_000 },
    );
  });
});
