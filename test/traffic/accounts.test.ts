import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { managerKey } from "../../lib/accounts/credentials.ts";
import { managerSeed } from "../../lib/accounts/nkeys.ts";
import { at, change, expectHosts, STREAMS as SEED } from "../support/change.ts";
import { NatsClient } from "../support/nats-client.ts";
import { appearsIn } from "../support/secrets.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";
import { encrypt } from "../support/vault.ts";

/** Of this run alone: what others on the machine say or run has none of them. */
const newSecret = () => randomBytes(12).toString("hex");

/** One region, as accounts are the same with nine nodes, and quicker with three. */
const CLUSTER = { regions: ["rg1"] };
const NODES = ["rg1-az1", "rg1-az2", "rg1-az3"];
const STREAMS = {
  EVENTS: at(SEED.EVENTS, "rg:1"),
  ORDERS: at(SEED.ORDERS, "rg:1"),
  SOLO: SEED.SOLO,
};

const BILLS = {
  account: "BILLING",
  subjects: ["bills.*"],
  replicas: 3,
  placement: { tags: ["rg:1"] },
};

/** Called as one of the first account is. */
const BILLED = {
  stream: "ORDERS",
  account: "BILLING",
  subjects: ["orders.*"],
  replicas: 1,
  placement: { tags: ["az:1"] },
};

/** One cluster, whose clients go on publishing while its accounts and users change. */
describe("accounts and users", () => {
  const secrets = {
    first: newSecret(),
    second: newSecret(),
    writer: newSecret(),
    clerk: newSecret(),
    system: newSecret(),
    nextSystem: newSecret(),
  };
  const hashes = new Set<string>();
  const said: string[] = [];
  const processes = new Set<string>();
  let stack: TestStack;
  let traffic: Traffic;
  let encrypted: Record<"second" | "writer" | "clerk", unknown>;

  const settings = (changes: object = {}) => ({
    ...CLUSTER,
    streams: { ...STREAMS, BILLS },
    accounts: {
      APP: { users: { second: { password: encrypted.second } } },
      BILLING: {
        users: {
          writer: {
            password: encrypted.writer,
            permissions: {
              publish: { allow: ["bills.*"] },
              subscribe: { allow: ["_INBOX.>"] },
            },
          },
          clerk: { password: encrypted.clerk },
        },
      },
    },
    ...changes,
  });
  const run = async (...args: string[]) => {
    const outcome = await stack.pulumi(...args);
    said.push(outcome.text);
    return outcome;
  };
  const connect = async (user: string, password: string) =>
    NatsClient.connect(await stack.outputs(), user, password);

  beforeAll(async () => {
    stack = await TestStack.create({});
    await run("config", "set", "--secret", "password", secrets.first);
    await run("config", "set", "--secret", "systemPassword", secrets.system);
    encrypted = {
      second: encrypt(secrets.second),
      writer: encrypt(secrets.writer),
      clerk: encrypt(secrets.clerk),
    };
    const { accounts } = settings();
    stack.configure({ ...CLUSTER, streams: STREAMS, accounts: { APP: accounts.APP } });
    using _ = watchProcesses();
    said.push(await stack.expectPulumi("up", "--yes"));
    const login = { user: "second", password: secrets.second };
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS", login);
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("come by a reload, a stream in a new account with them", async () => {
    stack.configure(settings());
    const { restarts, errors, text } = await change(stack, traffic, "an account more", settings(), {
      isLast: false,
    });
    said.push(text);
    expect({ restarts, errors }).toEqual({ restarts: 0, errors: 0 });

    await using writer = await connect("writer", secrets.writer);
    await writer.publish("bills.a", "bill");
    const { streams } = await stack.outputs();
    expect(streams.BILLS).toMatchObject({
      account: "BILLING",
      replicas: NODES,
    });
  });

  describe("have streams of one name", () => {
    const orders = Array.from({ length: 7 }, (_, index) => `order ${index} of BILLING`);
    const withStreams = (streams: object) =>
      settings({ streams: { ...STREAMS, BILLS, ...streams } });

    /** By an `up` under traffic, which sees to it that ORDERS of the first account has what it is to have, and no more. */
    const bring = async (what: string, streams: object) => {
      const { restarts, text } = await change(stack, traffic, what, withStreams(streams), {
        isLast: false,
      });
      said.push(text);
      expect(restarts).toBe(0);
      said.push(await stack.expectPulumi("preview", "--expect-no-changes"));
      await expectHosts(stack, "ORDERS", NODES, second);
      return text;
    };
    const second = { user: "second", password: secrets.second };
    const clerk = { user: "clerk", password: secrets.clerk };

    const expectOrders = async (...hosts: string[]) => {
      await expectHosts(stack, "ORDERS", hosts, clerk);
      await using client = await connect(clerk.user, clerk.password);
      expect(await client.payloads("ORDERS")).toEqual(orders);
    };

    test("each with messages of its own", async () => {
      await bring("a stream of the same name", { "ORDERS-BILLING": BILLED });
      await using client = await connect(clerk.user, clerk.password);
      for (const order of orders) await client.publish("orders.bill", order);
      await expectOrders("rg1-az1");
      const { streams } = await stack.outputs();
      expect(streams).toMatchObject({
        ORDERS: { account: "APP", replicas: NODES },
        "ORDERS-BILLING": { stream: "ORDERS", account: "BILLING" },
      });
      expect(streams.ORDERS).not.toHaveProperty("stream");
    });

    test("that move apart, and change what the settings call them", async () => {
      const moved = { ...BILLED, placement: { tags: ["az:3"] } };
      await bring("one of them moves", { "ORDERS-BILLING": moved });
      await expectOrders("rg1-az3");

      stack.configure(withStreams({ INVOICES: { ...moved, description: "All of them" } }));
      const preview = (await stack.expectPulumi("preview")).replaceAll(/\s+/g, " ");
      expect(preview).toContain(
        `stream ORDERS is called INVOICES in the settings, no longer ORDERS-BILLING, and stays with ${orders.length} messages`,
      );
      await bring("one is called otherwise", {
        INVOICES: { ...moved, description: "All of them" },
      });
      await expectOrders("rg1-az3");
      expect((await stack.outputs()).streams).not.toHaveProperty("ORDERS-BILLING");
    });

    test("of which one leaves alone, once it is empty", async () => {
      stack.configure(withStreams({}));
      const { exitCode, text } = await run("preview");
      expect(exitCode).not.toBe(0);
      expect(text.replaceAll(/\s+/g, " ")).toContain(
        `stream ORDERS is taken out of the settings, but holds ${orders.length} messages`,
      );
      await using client = await connect(clerk.user, clerk.password);
      await client.purge("ORDERS");
      await bring("one of them leaves", {});
      expect(await client.info("ORDERS")).toMatchObject({ error: { err_code: 10059 } });
    });
  });

  test.each([
    [
      "a stream's account",
      { streams: { ...STREAMS, BILLS: { ...BILLS, account: "APP" } } },
      "BILLS",
      'account: "BILLING" can\'t become "APP" without losing the messages',
    ],
    [
      "an account with its stream",
      { streams: STREAMS, accounts: {} },
      "BILLING",
      "account BILLING is taken out of the settings, or its jetStream switched off, but has streams: BILLS",
    ],
  ])("refuse to change %s", async (_, changes, about, reason) => {
    stack.configure(settings(changes));
    const { exitCode, text } = await run("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain(about);
    expect(text.replaceAll(/\s+/g, " ")).toContain(reason);
  });

  test("let a user go without disturbing another of the account", async () => {
    await noteHashes();
    await (await connect("user", secrets.first))[Symbol.asyncDispose]();
    await run("config", "rm", "password");
    const { restarts, errors, text } = await change(stack, traffic, "a user less", settings(), {
      isLast: false,
    });
    said.push(text);
    expect({ restarts, errors }).toEqual({ restarts: 0, errors: 0 });
    await expect(connect("user", secrets.first)).rejects.toThrow(/authorization/i);
  });

  test("take another system password, and a stream's change with it, in one go", async () => {
    await run("config", "set", "--secret", "systemPassword", secrets.nextSystem);
    const changed = { streams: { ...STREAMS, BILLS: { ...BILLS, description: "All bills" } } };
    stack.configure(settings(changed));
    said.push(await stack.expectPulumi("preview", "--diff"));
    const { restarts, text } = await change(stack, traffic, "a system password", settings(changed));
    said.push(text);
    expect(restarts).toBe(0);
    await expect(connect("sys", secrets.system)).rejects.toThrow(/authorization/i);
    await (await connect("sys", secrets.nextSystem))[Symbol.asyncDispose]();
    said.push(await stack.expectPulumi("preview", "--expect-no-changes", "--refresh"));
  });

  test("show no secret in anything said, stored, inspected or running", async () => {
    const { BILLS: _, ...others } = { ...STREAMS, BILLS };
    stack.configure(settings({ streams: others }));
    using _watch = watchProcesses();
    const failed = await run("up", "--yes", "--skip-preview");
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(/stream BILLS is taken out of the settings, but holds 1 message/);

    await noteHashes();
    const seen = {
      ...(await whatThereIs()),
      said: said.join("\n"),
      processes: [...processes].join("\n"),
    };
    expect(seen.logs).toContain("Server is ready");
    expect(seen.pages).toContain("second");
    expect(seen.processes).toContain("pulumi");
    const sought = [...Object.values(secrets), ...hashes, ...(await derivedSecrets())];
    // Six passwords, the hashes of all of them, and keys.
    expect(sought.length).toBeGreaterThanOrEqual(12);
    for (const secret of sought) {
      const leaks = Object.entries(seen).filter(([, text]) => appearsIn(text, secret));
      expect(leaks.map(([where]) => where)).toEqual([]);
      // What is looked for can be found.
      expect(appearsIn(`${seen.logs} ${secret}`, secret)).toBe(true);
    }
  });

  test("have nothing but hashes and public keys where the servers read them", async () => {
    const conf = await accountsConf();
    expect(conf).toContain('"user": "second"');
    for (const secret of [...Object.values(secrets), ...(await derivedSecrets())]) {
      expect(appearsIn(conf, secret)).toBe(false);
    }
  });

  /** Notes down the command lines of all processes until it is disposed of. */
  function watchProcesses(): Disposable {
    const stop = new AbortController();
    const watch = async () => {
      while (!stop.signal.aborted) {
        const { stdout } = await execa("ps", ["-eww", "-o", "args="]);
        for (const line of stdout.split("\n")) processes.add(line);
        await sleep(50);
      }
    };
    void watch();
    return { [Symbol.dispose]: () => stop.abort() };
  }

  async function idsOf(kind: "ps" | "volume" | "network"): Promise<string[]> {
    const command = kind === "ps" ? ["ps", "--all", "--quiet"] : [kind, "ls", "--quiet"];
    const filter = `--filter=name=nats-regions-${stack.name}`;
    const { stdout } = await execa("docker", [...command, filter]);
    return stdout.split("\n");
  }

  async function whatThereIs() {
    await using system = await connect("sys", secrets.nextSystem);
    const servers = Object.keys((await stack.outputs()).clientUrls).length;
    const [containers, volumes, networks] = await Promise.all([
      idsOf("ps"),
      idsOf("volume"),
      idsOf("network"),
    ]);
    const inspect = async (kind: string, ids: string[]) =>
      (await execa("docker", ["inspect", "--type", kind, ...ids])).stdout;
    const pages = Object.entries({
      VARZ: {},
      CONNZ: { auth: true, subscriptions: true },
      JSZ: { accounts: true, streams: true, config: true },
      ACCOUNTZ: { account: "APP" },
    }).map(([question, body]) => system.askServers(question, body, servers));
    const logs = containers.map(
      async (id) => (await execa("docker", ["logs", id], { all: true })).all,
    );
    return {
      containers: await inspect("container", containers),
      volumes: await inspect("volume", volumes),
      networks: await inspect("network", networks),
      pages: (await Promise.all(pages)).flat().join("\n"),
      logs: (await Promise.all(logs)).join("\n"),
      state: await stack.expectPulumi("stack", "export"),
      outputs: JSON.stringify(await stack.outputs()),
    };
  }

  /** As the first node has it. */
  async function accountsConf(): Promise<string> {
    const { stdout } = await execa("docker", [
      "cp",
      `nats-regions-${stack.name}-rg1-az1:/etc/nats/accounts.conf`,
      "-",
    ]);
    return stdout;
  }

  /** Of each hash the part that follows from the password. */
  async function noteHashes(): Promise<void> {
    const found = (await accountsConf()).matchAll(/"\$2b\$10\$.{22}(.{31})"/g);
    for (const [, hash = ""] of found) hashes.add(hash);
  }

  /** The keys of the stack's own users, which follow from the system passwords and the stack's owner. */
  async function derivedSecrets(): Promise<string[]> {
    const [id = ""] = await idsOf("ps");
    const format = '--format={{index .Config.Labels "nats-regions.owner"}}';
    const { stdout: owner } = await execa("docker", ["inspect", format, id]);
    expect(owner).toMatch(/^[0-9a-f]{16}$/);
    const keys = await Promise.all(
      [secrets.system, secrets.nextSystem].map((password) => managerKey(password, owner)),
    );
    return keys.flatMap((key) => [key, managerSeed(key, "APP"), managerSeed(key, "BILLING")]);
  }
});
