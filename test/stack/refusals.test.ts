import { createServer } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSettings } from "../../lib/plan/settings.ts";
import { makeAuthority, writeCertificates } from "../support/certificates.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { appearsIn } from "../support/secrets.ts";
import { ONE_REGION, SEED_SETTINGS, TestStack } from "../support/stack.ts";

/** What can be known before anything is made is refused before anything is made. */
describe("refuses while nothing has changed", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create();
  });

  afterAll(async () => {
    await stack.remove();
  });

  const said: string[] = [];
  const refusal = async (settings: object) => {
    stack.configure(settings);
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    said.push(text);
    expect(exitCode).not.toBe(0);
    expect(await stack.leftovers()).toEqual([]);
    return text;
  };
  const stream = (changes: object) => ({ subjects: ["a.*"], replicas: 3, ...changes });

  test("every problem of the settings at once, each by its path", async () => {
    const text = await refusal({
      regoins: ["rg1"],
      regions: ["rg1", "rg1", "Region 3"],
      image: "nats:2.10.20",
      memory: "1 elephant",
      streams: {
        ORDERS: stream({ replicas: 7, retantion: "limits" }),
        EVENTS: stream({ replicas: 0, storage: "tape" }),
      },
    });
    for (const path of [
      "regoins: there is no such setting",
      "regions[2]",
      "image: nats-server 2.10.20",
      "memory",
      "streams.ORDERS.replicas",
      "streams.ORDERS.retantion",
      "streams.EVENTS.replicas",
      "streams.EVENTS.storage",
    ]) {
      expect(text).toContain(path);
    }
    expect(text).not.toContain("    at ");
  });

  test("every stream that has no place, with the nearest servers", async () => {
    const text = await refusal({
      streams: {
        NOWHERE: stream({ subjects: ["n.*"], placement: { tags: ["rg:4"] } }),
        TOO_MANY: stream({ subjects: ["t.*"], replicas: 5 }),
        UNKNOWN: stream({ subjects: ["u.*"], placement: { region: "rg9" } }),
        ASTRAY: stream({ subjects: ["s.*"], placement: { across: { rg1: "az1", rg2: "az8" } } }),
        "no good name": stream({ subjects: ["g.*"] }),
        ONE: stream({ subjects: ["same.*"] }),
        OTHER: stream({ subjects: ["same.thing"] }),
      },
    });
    for (const words of [
      "streams.NOWHERE.placement",
      "rg:4",
      "streams.TOO_MANY.placement",
      "rg9",
      "az8",
      "no good name",
      "same.thing",
    ]) {
      expect(text).toContain(words);
    }
  });

  test("a wrong type, in the words of the settings' schema", async () => {
    expect(await refusal({ regions: "three" })).toContain("regions");
    expect(await refusal({ nodesPerZone: "two" })).toContain("nodesPerZone");
  });

  test("a password that nats-server would take for another, and tells none", async () => {
    const hash = "$2a$11$Zebra-4711-0815";
    await stack.expectPulumi("config", "set", "--secret", "password", hash);
    try {
      expect(await refusal(SEED_SETTINGS)).toContain(
        "password: begins like a bcrypt hash, but is none",
      );
    } finally {
      await stack.expectPulumi("config", "set", "--secret", "password", PASSWORDS.password);
    }
    for (const secret of [hash, ...Object.values(PASSWORDS)]) {
      expect(appearsIn(said.join("\n"), secret)).toBe(false);
    }
  });

  test("a port that somebody holds", async () => {
    const { clientPort } = parseSettings({}, { project: "nats-regions", stack: stack.name });
    const port = clientPort + 4;
    const server = createServer().listen(port, "127.0.0.1");
    try {
      const text = await refusal(SEED_SETTINGS);
      expect(text).toContain(`clientPort: 127.0.0.1:${port}, wanted for rg2-az2, is in use`);
    } finally {
      server.close();
    }
  });

  test.each([
    [
      "that doesn't answer",
      "unix:///nonexistent/docker.sock",
      ["No Docker engine", "/nonexistent/"],
    ],
    [
      "elsewhere, whose nodes would listen on its own loopback",
      "ssh://nobody@remote.invalid",
      ["bindAddress: nodes on ssh://nobody@remote.invalid"],
    ],
  ])("an engine %s", async (_, engine, words) => {
    stack.env.DOCKER_HOST = engine;
    try {
      const text = await refusal(SEED_SETTINGS);
      for (const word of words) expect(text).toContain(word);
    } finally {
      delete stack.env.DOCKER_HOST;
    }
  });

  test("a plan of other certificates, and shows neither's keys", async () => {
    const [folder, file] = ["certificates", "plan.json"].map((name) =>
      path.join(stack.folder, name),
    ) as [string, string];
    const nodes = ["rg1-az1", "rg1-az2", "rg1-az3"];
    const authority = await makeAuthority();
    const tlsFiles = await writeCertificates(folder, nodes, authority);
    stack.configure({ regions: ["rg1"], tls: "files", tlsFiles });
    await stack.expectPulumi("preview", "--save-plan", file);
    await writeCertificates(folder, nodes, authority);
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--plan", file);
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/NatsCluster\S+ violates plan: .*settings-/);
    expect(appearsIn(text, "BEGIN PRIVATE KEY")).toBe(false);
    expect(await stack.leftovers()).toEqual([]);
  });

  test("an image that can't be had, and destroys what was made by then", async () => {
    stack.configure({ ...ONE_REGION, image: "nats:2.15.999" });
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("nats:2.15.999");
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });

  test("only warns of a number of replicas that survives no more than one less", async () => {
    stack.configure({ streams: { PAIR: stream({ replicas: 2 }) } });
    expect(await stack.expectPulumi("preview")).toMatch(/PAIR: .*2/);
  });
});
