import { describe, expect, test } from "vitest";
import { managerSeed } from "../../../lib/accounts/nkeys.ts";
import { parseExisting } from "../../../lib/existing/existing-settings.ts";
import { readLogin } from "../../../lib/existing/logins.ts";
import { neededSubjects, permissionProblems } from "../../../lib/existing/permissions.ts";
import { refusalsOf } from "../../support/problems.ts";

const SERVERS = ["nats://n1"];
const GIVEN = "(given)";
const SEED = managerSeed(Buffer.alloc(32, "k").toString("base64"), "APP");

describe("settings of a cluster that others run", () => {
  test("have the port and the scheme of each server, and the prefix of the API", () => {
    const servers = ["n1", "tls://n2.example.com:4333", "nats://[::1]:4222"];
    expect(parseExisting({ servers, domain: "hub" }, "program")).toMatchObject({
      servers: ["nats://n1:4222", "tls://n2.example.com:4333", "nats://[::1]:4222"],
      hosts: ["n1", "n2.example.com", "::1"],
      hasTls: true,
      apiPrefix: "$JS.hub.API",
      patience: 120_000,
    });
  });

  test.each<[string, object, RegExp]>([
    ["no servers", {}, /^servers \| is missing: a list of URLs/],
    ["a list without any", { servers: [] }, /^servers \| \[\] is not a list of URLs/],
    [
      "a user in a URL",
      { servers: ["nats://u:p@n1"] },
      /^servers\[0\] \| has a user; put it into login/,
    ],
    [
      "another protocol",
      { servers: ["ws://n1"] },
      /^servers\[0\] \| "ws:" is neither nats: nor tls:/,
    ],
    ["half a login", { servers: SERVERS, login: { user: GIVEN } }, /^login \| is no login/],
    [
      "two logins",
      { servers: SERVERS, login: { token: GIVEN, seed: GIVEN } },
      /^login \| is no login/,
    ],
    ["an unknown setting", { servers: SERVERS, regions: ["rg1"] }, /^regions \| there is no such/],
    [
      "a certificate alone",
      { servers: SERVERS, tls: { certificate: GIVEN } },
      /^tls \| has a certif/,
    ],
    [
      "two ways to the API",
      { servers: SERVERS, domain: "a", apiPrefix: "b" },
      /^apiPrefix \| is there/,
    ],
    [
      "a domain of two",
      { servers: SERVERS, domain: "a.b" },
      /^domain \| "a.b" is no name of a domain/,
    ],
    [
      "the first account again",
      { servers: SERVERS, account: "A", accounts: { A: {} } },
      /^accounts\.A \| is the account of login \| take it out/,
    ],
  ])("are refused with %s", (_, raw, problem) => {
    expect(refusalsOf(() => parseExisting(raw, "program"))).toEqual([
      expect.stringMatching(problem),
    ]);
  });
});

describe("logins", () => {
  test("are read from their texts", () => {
    const creds = `-----BEGIN NATS USER JWT-----\nx.y.z\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${SEED}\n------END USER NKEY SEED------\n`;
    for (const text of [creds, creds.trim(), creds.replaceAll("\n", "\r\n")]) {
      expect(readLogin("login", { creds: text })).toEqual({ login: { creds } });
    }
    expect(readLogin("login", { seed: SEED })).toEqual({ login: { seed: SEED } });
    expect(readLogin("login", {})).toEqual({ login: { anonymous: true } });
  });

  test("that can't be right are told without what they are", () => {
    const texts = { creds: `-----BEGIN USER NKEY SEED-----\n${SEED}\n` };
    const read = readLogin("accounts.B.login", texts);
    expect(JSON.stringify(read)).not.toContain(SEED);
    expect(read).toMatchObject({ problems: [{ path: "accounts.B.login.creds" }] });
    expect(readLogin("login", { seed: `${SEED}X` })).toMatchObject({
      problems: [{ path: "login.seed" }],
    });
  });
});

describe("permissions", () => {
  const streams = [{ name: "ORDERS", consumers: [{ name: "worker" }] }];
  const needed = neededSubjects(streams);

  test("suffice if they allow all that is asked, by any pattern", () => {
    const subscribe = { allow: ["_INBOX.>"] };
    for (const allow of [
      ["$JS.API.>"],
      ["$JS.API.INFO", "$JS.API.STREAM.>", "$JS.API.CONSUMER.>"],
    ]) {
      expect(permissionProblems("login", { publish: { allow }, subscribe }, needed)).toEqual([]);
    }
    expect(permissionProblems("login", {}, needed)).toEqual([]);
  });

  test("that lack something are told with the login's key", () => {
    const publish = { allow: ["$JS.API.>"], deny: ["$JS.API.STREAM.DELETE.*"] };
    expect(permissionProblems("accounts.B.login", { publish }, needed)).toEqual([
      {
        path: "accounts.B.login",
        message: "may not publish to $JS.API.STREAM.DELETE.ORDERS",
        fix: "have it allowed there",
      },
    ]);
    const subscribe = { allow: ["orders.>"] };
    expect(permissionProblems("login", { subscribe }, needed)).toMatchObject([
      { message: "may not subscribe to _INBOX.>" },
    ]);
  });

  test("are needed below the prefix of the API that the settings have", () => {
    expect(neededSubjects(streams, "$JS.hub.API")).toContain("$JS.hub.API.STREAM.UPDATE.ORDERS");
  });
});
