import { fromSeed } from "@nats-io/nkeys";
import { compareSync } from "@node-rs/bcrypt";
import { describe, expect, test } from "vitest";
import {
  encryptionKeyMark,
  fingerprint,
  hashPassword,
  managerKey,
} from "../../../lib/accounts/credentials.ts";
import { plainPasswordsIn } from "../../../lib/accounts/hidden-passwords.ts";
import { managerPublicKey, managerSeed } from "../../../lib/accounts/nkeys.ts";
import { passwordProblems } from "../../../lib/plan/passwords.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { problemsOf } from "../../support/problems.ts";

describe("the hash of a password", () => {
  test("is the same at each run, and of that password", async () => {
    const hash = await hashPassword("app-Zebra-4711", "owner", "APP", "user");
    expect(await hashPassword("app-Zebra-4711", "owner", "APP", "user")).toBe(hash);
    expect(hash).toMatch(/^\$2b\$10\$.{53}$/);
    expect(compareSync("app-Zebra-4711", hash)).toBe(true);
    expect(compareSync("app-Zebra-4712", hash)).toBe(false);
  });

  test("has another salt for another stack, account or user, and the same for another password", async () => {
    const saltOf = async (...args: Parameters<typeof hashPassword>) =>
      (await hashPassword(...args)).slice(0, 29);
    const salts = await Promise.all([
      saltOf("x", "owner", "APP", "user"),
      saltOf("x", "other", "APP", "user"),
      saltOf("x", "owner", "ELSE", "user"),
      saltOf("x", "owner", "APP", "else"),
    ]);
    expect(new Set(salts).size).toBe(4);
    expect(await saltOf("y", "owner", "APP", "user")).toBe(salts[0]);
  });

  test("is taken as it is where it is one already", async () => {
    const hash = await hashPassword("app-Zebra-4711", "owner", "APP", "user");
    expect(await hashPassword(hash, "owner", "APP", "other")).toBe(hash);
  });
});

test("facts have the same fingerprint by the same key alone", () => {
  const prints = [
    fingerprint("key", { password: "Gnu" }),
    fingerprint("key", { password: "Gnu" }),
    fingerprint("key", { password: "Gnat" }),
    fingerprint("other", { password: "Gnu" }),
  ];
  expect(prints[1]).toBe(prints[0]);
  expect(new Set(prints).size).toBe(3);
});

describe("the stack's own users", () => {
  test("have a key in each account that follows from the system password and the stack", async () => {
    const key = await managerKey("sys-Yak-0815", "owner");
    expect(await managerKey("sys-Yak-0815", "owner")).toBe(key);
    const keys = [
      managerPublicKey(key, "APP"),
      managerPublicKey(key, "BILLING"),
      managerPublicKey(await managerKey("sys-Yak-0816", "owner"), "APP"),
      managerPublicKey(await managerKey("sys-Yak-0815", "other"), "APP"),
    ];
    expect(new Set(keys).size).toBe(4);
  });

  test("have the seed that goes with their public key", async () => {
    const key = await managerKey("sys-Yak-0815", "owner");
    const seed = new TextEncoder().encode(managerSeed(key, "APP"));
    expect(fromSeed(seed).getPublicKey()).toBe(managerPublicKey(key, "APP"));
  });
});

test("an encryption key has a mark of its own in each stack, which doesn't show it", async () => {
  const mark = await encryptionKeyMark("key-Ibex-1234", "owner");
  expect(mark).toMatch(/^[0-9a-f]{16}$/);
  expect(await encryptionKeyMark("key-Ibex-1234", "owner")).toBe(mark);
  expect(await encryptionKeyMark("key-Ibex-1234", "other")).not.toBe(mark);
  expect(await encryptionKeyMark("key-Ibex-1235", "owner")).not.toBe(mark);
});

describe("passwords", () => {
  const ENCRYPTED = ["password", "systemPassword", "accounts"];
  const GOOD = {
    system: "sys-Yak-0815",
    simple: "app-Zebra-4711",
    users: {},
    encryptionKey: undefined,
    encrypted: ENCRYPTED,
    plainUsers: [],
  };
  const check = (changes: object, settings: object = {}, stack = "dev") => {
    const identity = { project: "nats-regions", stack };
    const plan = planCluster(parseSettings({ password: "(given)", ...settings }, identity));
    return problemsOf(() => passwordProblems(plan, { ...GOOD, ...changes }));
  };
  const WRITER = { accounts: { A: { users: { writer: { password: "(given)" } } } } };

  test("may be good", () => {
    expect(check({})).toEqual([]);
    expect(check({ users: { writer: "Gnu" } }, WRITER)).toEqual([]);
    expect(check({ simple: undefined })).toEqual([
      "password | user user has no password | set one: npx pulumi config set --secret password",
    ]);
  });

  test.each([
    [{ system: undefined }, "systemPassword | user sys has no password"],
    [{ simple: "" }, "password | is empty | set another"],
    [{ simple: "ä".repeat(37) }, "password | is longer than 72 bytes"],
    [{ system: `$2b$10$${"x".repeat(53)}` }, "systemPassword | is a hash"],
    [{ simple: "$2a$11$Zebra" }, "password | begins like a bcrypt hash, but is none"],
  ])("are refused: %j", (changes, problem) => {
    expect(check(changes)).toEqual([expect.stringContaining(problem)]);
  });

  const KEY = "k".repeat(32);
  const encrypted = [...ENCRYPTED, "encryptionKey"];
  test.each([
    [{ encryptionKey: KEY, encrypted }, "aes", undefined],
    [{}, "aes", "encryptionKey | is missing, and encryption is on | set one: npx pulumi config"],
    [{ encryptionKey: KEY }, "aes", "encryptionKey | stands in the settings for all to read"],
    [{ encryptionKey: "Ibex", encrypted }, "aes", "encryptionKey | is shorter than 32 characters"],
    [{ encryptionKey: KEY, encrypted }, "none", "encryptionKey | is set, but encryption is off"],
  ])("to encrypt by are as long as they need be: %j, %s", (changes, encryption, problem) => {
    const found = check(changes, { encryption });
    expect(found).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
    expect(found.join()).not.toContain("Ibex");
  });

  test("of other users are refused in plain text, whose command is told", () => {
    expect(
      check({ users: { writer: "Gnu" }, encrypted: ["password", "systemPassword"] }, WRITER),
    ).toEqual([
      "accounts.A.users.writer.password | stands in the settings for all to read | set another: npx pulumi config set --secret --path accounts.A.users.writer.password",
    ]);
  });

  test("are refused in plain text also beside encrypted ones", () => {
    const users = { writer: "Gnu", reader: "Emu" };
    const accounts = {
      A: { users: { writer: WRITER.accounts.A.users.writer, reader: { password: "(given)" } } },
    };
    expect(check({ users, plainUsers: ["reader"] }, { accounts })).toEqual([
      "accounts.A.users.reader.password | stands in the settings for all to read | set another: npx pulumi config set --secret --path accounts.A.users.reader.password",
    ]);
  });

  test("may stand there as hashes", () => {
    const hash = `$2b$10$${"x".repeat(53)}`;
    expect(
      check({ users: { writer: hash }, encrypted: ["password", "systemPassword"] }, WRITER),
    ).toEqual([]);
    expect(check({ simple: hash, encrypted: ["systemPassword"] })).toEqual([]);
  });

  test("in plain text are told from encrypted ones in a settings file", () => {
    const users = {
      writer: { password: "Gnu" },
      reader: { password: { secure: "v1:x:y" } },
      robot: { nkey: "U" },
    };
    expect(plainPasswordsIn({ A: { users }, B: {} })).toEqual(["writer"]);
  });

  test("of the first user is refused in plain text, too", () => {
    expect(check({ encrypted: ["systemPassword"] })).toEqual([
      "password | stands in the settings for all to read | set another: npx pulumi config set --secret password",
    ]);
  });

  test.each([
    ["dev", "127.0.0.1", 0],
    ["dev", "0.0.0.0", 2],
    ["dev", "10.0.0.5", 2],
    ["staging", "127.0.0.1", 2],
  ])("of the example are for loopback: stack %s at %s", (stack, bindAddress, refusals) => {
    const problems = check({ system: "sys", simple: "user" }, { bindAddress }, stack);
    expect(problems).toHaveLength(refusals);
    for (const problem of problems) {
      expect(problem).toMatch(/assword \| is the example's, which is for a stack dev on loopback/);
    }
  });
});
