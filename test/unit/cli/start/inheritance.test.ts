import { describe, expect, test } from "vitest";
import { type InheritanceSource, inherit } from "../../../../cli/start/inheritance.ts";
import {
  PASSWORD_PLACEHOLDER,
  usersWithoutLogin,
} from "../../../../lib/accounts/hidden-passwords.ts";

const set = (value: unknown) => ({
  value: typeof value === "string" ? value : JSON.stringify(value),
  secret: false,
  ...(typeof value === "string" ? {} : { objectValue: value }),
});
const SECRET = { secret: true };

/** What a stack begins with where `dev` has these settings. */
const inheritanceOf = (
  config: InheritanceSource["config"],
  { accounts = {}, unread = [] }: { accounts?: object; unread?: string[] } = {},
) =>
  inherit({
    namespace: "nats-regions",
    config,
    defaults: { "nats-regions:cluster": set("c1"), "nats-regions:accounts": set({}) },
    filed: { raw: { accounts }, unread },
  });

const PERMISSIONS = { publish: { allow: ["bills.>"] } };
const NKEY = "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF";
const ACCOUNTS = {
  BILLING: {
    users: {
      writer: { password: PASSWORD_PLACEHOLDER, permissions: PERMISSIONS },
      reader: { password: PASSWORD_PLACEHOLDER },
      batch: { nkey: NKEY },
    },
    jetStream: { maxStreams: 5 },
  },
  AUDIT: { imports: [{ stream: { account: "BILLING", subject: "bills.>" } }] },
};
const COPIED = {
  ...ACCOUNTS,
  BILLING: {
    ...ACCOUNTS.BILLING,
    users: { writer: { permissions: PERMISSIONS }, reader: {}, batch: { nkey: NKEY } },
  },
};

describe("a new stack begins with the settings of another", () => {
  test("but for ports, passwords, and what it has by default", () => {
    const regions = set(["rg1"]);
    const values = {
      "nats-regions:regions": regions,
      "nats-regions:cluster": set("c1"),
      "nats-regions:clientPort": set("4222"),
      "nats-regions:monitorPort": set("8222"),
      "nats-regions:password": SECRET,
      "nats-regions:systemPassword": SECRET,
      "nats-regions:accounts": set({}),
      "docker:clientPort": set("4711"),
    };
    expect(inheritanceOf(values)).toEqual({
      values: { "nats-regions:regions": regions, "docker:clientPort": set("4711") },
      leftOut: [],
    });
  });

  test.each([
    ["encrypted ones", SECRET],
    ["hashes", set({ BILLING: { users: { reader: { password: "$2b$11$" } } } })],
  ])("and with accounts, without the passwords in them: %s", (_, setting) => {
    const config = { "nats-regions:accounts": setting };
    expect(inheritanceOf(config, { accounts: ACCOUNTS })).toEqual({
      values: { "nats-regions:accounts": set(COPIED) },
      leftOut: [],
    });
  });

  test("and says what it can't have, as it is encrypted", () => {
    const config = { "nats-regions:streams": SECRET, "nats-regions:accounts": SECRET };
    const unread = [
      "nats-regions:streams.ORDERS.description",
      "nats-regions:accounts.BILLING.users.batch.nkey",
    ];
    expect(inheritanceOf(config, { accounts: ACCOUNTS, unread }).leftOut).toEqual([
      "nats-regions:streams",
      "nats-regions:accounts.BILLING.users.batch.nkey",
    ]);
  });
});

describe("passwords are to be made", () => {
  test("for users that have nothing by which to log in", () => {
    expect(usersWithoutLogin(ACCOUNTS)).toEqual([]);
    expect(usersWithoutLogin(COPIED)).toEqual([
      { account: "BILLING", user: "writer" },
      { account: "BILLING", user: "reader" },
    ]);
    const can = { publish: ["BILLS"] };
    expect(usersWithoutLogin({ BILLING: { users: { maker: { can } } } })).toEqual([
      { account: "BILLING", user: "maker" },
    ]);
  });

  test.each([
    ["misspelt", { BILLING: { users: { writer: { pasword: PASSWORD_PLACEHOLDER } } } }],
    ["no map", { BILLING: { users: { writer: PASSWORD_PLACEHOLDER } } }],
    ["nothing", undefined],
  ])("for nobody where settings are %s", (_, accounts) => {
    expect(usersWithoutLogin(accounts)).toEqual([]);
  });
});
