import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Accounts } from "../../lib/accounts/accounts-conf.ts";
import {
  configDigest,
  ENCRYPTION_FILE,
  type NodeConf,
  renderAccountsConf,
  renderEncryptionConf,
  renderNodeConf,
} from "../../lib/nodes/nats-conf.ts";
import { simpleAccounts } from "../support/accounts.ts";
import { BINARY } from "../support/server-process.ts";

const conf: NodeConf = {
  serverName: "rg1-az1",
  serverTags: ["rg:1", "az:1", "xr:123"],
  cluster: "c1",
  routes: ["rg1-az1", "rg1-az2"],
  clientAdvertise: "127.0.0.1:4222",
  uniqueTag: "az:",
  maxFileStore: 1024 ** 3,
  maxMemoryStore: 64 * 1024 ** 2,
  syncInterval: "always",
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const digestOf = async (conf: NodeConf, accounts: Accounts) => {
  const file = path.join(folder, "nats.conf");
  await writeFile(file, renderNodeConf(conf));
  await writeFile(path.join(folder, "accounts.conf"), renderAccountsConf(accounts));
  const { all } = await execa(BINARY, ["-t", "-c", file], { all: true });
  return all.match(/sha256:\w+/)?.[0];
};

test("an encrypted config has the digest that nats-server prints", async () => {
  const secrets = { ...accountsWith("user"), encryptionKey: 'key-Ibex "1234" $x <long> enough' };
  const encrypted: NodeConf = { ...conf, encryption: "aes", maxAckPending: 5 };
  const text = renderEncryptionConf(secrets.encryptionKey);
  await writeFile(path.join(folder, ENCRYPTION_FILE), text);
  expect(configDigest(encrypted, secrets)).toBe(await digestOf(encrypted, secrets));
});

const accountsWith = (user: string) => simpleAccounts({ sys: "system", user });

test.each<
  [
    string,
    Partial<Omit<NodeConf, "clientAdvertise">> & { readonly clientAdvertise?: string | undefined },
  ]
>([
  ["of every node", {}],
  ["of one that is reached everywhere", { clientAdvertise: undefined }],
  ["without a unique tag", { uniqueTag: "" }],
  ["of one that takes leaf nodes", { leafNodes: true }],
  ["of one of which clients are told nothing", { advertisesNothing: true, leafNodes: true }],
  [
    "of one that is reached by IPv6",
    {
      host: "::",
      clientAdvertise: "[2001:db8::1]:4222",
      routeAdvertise: "[2001:db8::1]:6222",
      routes: ["[2001:db8::1]:6222", "10.0.0.2:6223", "rg3.example.com:6224"],
      leafNodes: true,
      websocket: true,
      mqtt: true,
      hasPages: true,
      advertised: { leafNodePort: "[2001:db8::1]:7422", websocketPort: "[2001:db8::1]:12222" },
    },
  ],
  [
    "with limits and times",
    { pingInterval: 30_000, maxAckPending: 5, duplicateWindow: 1, logtime: false },
  ],
])("a config %s has the digest that nats-server prints", async (_, changes) => {
  const { clientAdvertise, ...rest } = { ...conf, ...changes };
  const changed = clientAdvertise === undefined ? rest : { ...rest, clientAdvertise };
  const accounts = accountsWith("user");
  expect(configDigest(changed, accounts)).toBe(await digestOf(changed, accounts));
});

test("any password has the digest that nats-server prints", async () => {
  const character = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    fc.constantFrom("<", ">", "&", "\u2028", "\u2029", "ü", "漢", "😀", "\t", "\\", '"', "$"),
  );
  const password = fc.array(character, { minLength: 1, maxLength: 12 }).map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(password, async (password) => {
      const accounts = accountsWith(password);
      expect(configDigest(conf, accounts)).toBe(await digestOf(conf, accounts));
    }),
    { numRuns: 60 },
  );
});
