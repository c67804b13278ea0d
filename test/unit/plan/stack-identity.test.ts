import { describe, expect, test } from "vitest";
import { chooseOwner, deriveOwner, identityIn } from "../../../lib/plan/stack-identity.ts";

const DEV = { project: "nats-regions", stack: "dev" };
const OWNER = "0123456789abcdef";

describe("deriveOwner", () => {
  const ownerIn = (scope: string, organization = "organization") =>
    deriveOwner(DEV, organization, scope);

  test("tells stacks of one name apart by their backend, and by their organization", () => {
    expect(ownerIn("one state")).toBe(ownerIn("one state"));
    expect(ownerIn("one state")).not.toBe(ownerIn("another"));
    expect(ownerIn("one state")).not.toBe(ownerIn("one state", "acme"));
  });

  test("is what it was: by it, a stack knows the volumes that a destroy has kept", () => {
    expect(ownerIn("file:///somewhere")).toMatchInlineSnapshot(`"1fb5b4e292642384"`);
  });
});

describe("chooseOwner", () => {
  const choose = (live: readonly string[], kept: readonly string[]) =>
    chooseOwner(["a", "b"], new Set(live), new Set(kept));

  test.each([
    ["the first one, where nothing is there", [], [], "a"],
    ["the one whose volumes were kept", [], ["b"], "b"],
    ["the first one, where volumes of both were kept", [], ["a", "b"], "a"],
    ["none, where one of them runs", ["b"], ["b"], undefined],
    ["the first one, whatever others run", ["c"], ["c"], "a"],
  ])("picks %s", (_, live, kept, expected) => {
    expect(choose(live, kept)).toBe(expected);
  });
});

describe("identityIn", () => {
  const labels = (owner: string, stack = "nats-regions/dev") => [
    { label: "nats-regions.owner", value: owner },
    { label: "nats-regions.stack", value: stack },
  ];
  const volume = (owner: string, stack?: string) => ({
    type: "docker:index/volume:Volume",
    inputs: { name: "data", labels: labels(owner, stack) },
  });
  const network = (owner: string) => ({
    type: "command:local:Command",
    inputs: {
      environment: {
        NETWORK: "nats-regions-dev",
        LABELS: `--label=nats-regions.owner=${owner} --label=nats-regions.stack=nats-regions/dev`,
      },
    },
  });
  const other = [
    { type: "pulumi:pulumi:Stack" },
    { type: "command:local:Command", inputs: { environment: { OWNER: "nats-regions.owner=ff" } } },
    { type: "command:local:Command", inputs: { environment: "4dabf18193072939515e22adb298388d" } },
    { type: "docker:index/container:Container", inputs: { labels: { a: "b" } } },
  ];
  const among = (deployment: unknown) => identityIn({ version: 3, deployment });

  test("reads it off whatever carries both labels", () => {
    for (const found of [volume(OWNER), network(OWNER)]) {
      expect(among({ resources: [...other, found] })).toEqual({ ...DEV, owner: OWNER });
    }
  });

  test("keeps the names that the stack was made under", () => {
    const resources = [volume(OWNER, "first-project/first-name")];
    expect(among({ resources })).toEqual({
      project: "first-project",
      stack: "first-name",
      owner: OWNER,
    });
  });

  test("goes by the network where volumes were half replaced", () => {
    const resources = [volume("aa", "nats-regions/blue"), network(OWNER)];
    expect(among({ resources })).toEqual({ ...DEV, owner: OWNER });
  });

  test("spares what is only waiting to be deleted", () => {
    const resources = [{ ...volume("aa"), delete: true }, volume(OWNER)];
    expect(among({ resources })).toEqual({ ...DEV, owner: OWNER });
  });

  test("knows by what an operation was to make that never ended", () => {
    const pending_operations = [{ resource: network(OWNER), type: "creating" }];
    expect(among({ pending_operations })).toEqual({ ...DEV, owner: OWNER });
  });

  test.each([
    ["was never made", null],
    ["has made nothing", { resources: other }],
    ["is empty", {}],
  ])("finds none where the stack %s", (_, deployment) => {
    expect(among(deployment)).toBeUndefined();
  });
});
