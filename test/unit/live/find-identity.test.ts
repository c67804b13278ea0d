import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { deriveOwner } from "../../../lib/plan/stack-identity.ts";
import { engineAt, engineFromEnvironment } from "../../../live/engine/engine.ts";
import { findIdentity, hintsFromEnvironment } from "../../../live/engine/find-identity.ts";
import { FakeCommands } from "../../support/fake-commands.ts";

const DEV = { project: "nats-regions", stack: "dev" };
const ownerIn = (scope: string) => deriveOwner(DEV, "acme", scope);

let fake: FakeCommands;

beforeEach(() => {
  fake = new FakeCommands("docker", "pulumi");
  fake.answer("pulumi", "stack", '{"version": 3, "deployment": null}');
  vi.stubEnv("NATS_REGIONS_STATE_ID", "by login");
  vi.stubEnv("PULUMI_BACKEND_URL", undefined);
  vi.stubEnv("NATS_REGIONS_OWNER", undefined);
});
afterEach(() => {
  fake[Symbol.dispose]();
  vi.unstubAllEnvs();
});

const find = () =>
  findIdentity([engineFromEnvironment()], { organization: "acme", ...DEV }, hintsFromEnvironment());

describe("findIdentity", () => {
  test("goes by the state, wherever that is now, and asks no engine", async () => {
    const labels = [
      { label: "nats-regions.owner", value: "0123456789abcdef" },
      { label: "nats-regions.stack", value: "nats-regions/first" },
    ];
    const resources = [{ inputs: { labels } }];
    fake.answer("pulumi", "stack", JSON.stringify({ version: 3, deployment: { resources } }));
    vi.stubEnv("NATS_REGIONS_OWNER", "ff");
    expect(await find()).toEqual({
      project: "nats-regions",
      stack: "first",
      owner: "0123456789abcdef",
    });
  });

  test("begins as the same one however one logged in", async () => {
    const byLogin = await find();
    vi.stubEnv("NATS_REGIONS_STATE_ID", undefined);
    vi.stubEnv("PULUMI_BACKEND_URL", "by login");
    expect(await find()).toEqual(byLogin);
    expect(byLogin).toEqual({ ...DEV, owner: ownerIn("by login") });
  });

  test("takes volumes up that were kept by a version which told logins from nothing", async () => {
    fake.answer("docker", "volume", [
      { name: "nats-regions-dev-rg1-az1-data", owner: ownerIn("") },
    ]);
    expect((await find()).owner).toBe(ownerIn(""));
  });

  test.each(["ps", "network"])(
    "is nobody who is on the engine already, by docker %s",
    async (kind) => {
      fake.answer("docker", kind, [
        { name: "else", owner: "0123456789abcdef" },
        { name: "nats-regions-dev", owner: ownerIn("by login") },
      ]);
      await expect(find()).rejects.toThrow(
        "Somebody else's stack dev is on this Docker engine: nats-regions-dev.",
      );
    },
  );

  test("is who it was in an up that was killed before it noted down what it had made", async () => {
    const owner = ownerIn("by login");
    fake.answer("docker", "ps", [{ name: "nats-regions-dev-rg1-az1", owner }]);
    const resource = { inputs: { environment: { OWNER: `nats-regions.owner=${owner}` } } };
    const deployment = { resources: [], pending_operations: [{ resource, type: "creating" }] };
    fake.answer("pulumi", "stack", JSON.stringify({ version: 3, deployment }));
    expect(await find()).toEqual({ ...DEV, owner });
  });

  test("is whom a person names, where the state is lost", async () => {
    fake.answer("docker", "ps", [{ name: "nats-regions-dev-rg1-az1", owner: ownerIn("by login") }]);
    vi.stubEnv("NATS_REGIONS_OWNER", "0123456789abcdef");
    expect((await find()).owner).toBe("0123456789abcdef");
    vi.stubEnv("NATS_REGIONS_OWNER", "not an owner");
    await expect(find()).rejects.toThrow();
  });

  test("says which engine of the settings doesn't answer", async () => {
    fake.complain("docker", "no route to host\n");
    const engine = engineAt({ key: "rg1", host: "ssh://m1", address: "m1", ssh: [] });
    await expect(
      findIdentity([engine], { organization: "acme", ...DEV }, hintsFromEnvironment()),
    ).rejects.toThrow("engines.rg1: its Docker engine doesn't answer: no route to host");
  });

  test("says that there is no engine", async () => {
    fake.complain("docker", "Cannot connect to the Docker daemon.");
    await expect(find()).rejects.toThrow("No Docker engine to work with: Cannot connect");
  });

  test("says why there is no state to be had", async () => {
    fake.complain("pulumi", "error: passphrase must be set");
    await expect(find()).rejects.toThrow("error: passphrase must be set");
  });
});
