import { describe, expect, test } from "vitest";
import { type Found, remainsAmong } from "../../../../cli/destroy/leftovers.ts";
import { stackState } from "../../../../cli/stack/stack-state.ts";
import { Engine } from "../../../../live/engine/engine.ts";

const ENGINE = new Engine({ variables: {} });
const OWNER = "0123456789abcdef";
const ID = "f".repeat(64);

const found = (kind: Found["kind"], id: string, owner = OWNER, generation = ""): Found => ({
  kind,
  engine: ENGINE,
  id,
  name: kind === "container" ? `name-of-${id}` : id,
  owner,
  generation,
});

const NETWORK = {
  id: "network0123",
  inputs: {
    environment: { LABELS: `--label=nats-regions.owner=${OWNER}`, NETWORK: "nats-regions-dev" },
  },
};
const VOLUME = {
  id: "nats-regions-dev-rg1-az1-data",
  inputs: { labels: [{ label: "nats-regions.owner", value: OWNER }] },
};

const remains = (all: readonly Found[], deployment: unknown) =>
  remainsAmong(all, stackState.parse({ version: 3, deployment }));

describe("a leftover", () => {
  const among = (all: readonly Found[], deployment: unknown) => remains(all, deployment).leftovers;

  test("is what the state doesn't have, kind by kind", () => {
    const recorded = [
      found("container", ID),
      found("volume", VOLUME.id),
      found("network", "nats-regions-dev"),
    ];
    const left = [found("container", "e".repeat(64)), found("volume", "nats-regions-dev-rg1-az2")];
    const resources = [NETWORK, VOLUME, { id: ID, inputs: {} }, { type: "pulumi:pulumi:Stack" }];
    expect(among([...recorded, ...left], { resources })).toEqual(left);
  });

  test("is what an operation made that never ended", () => {
    const network = found("network", "nats-regions-dev");
    const pending = { pending_operations: [{ resource: NETWORK, type: "creating" }] };
    expect(among([network], { resources: [], ...pending })).toEqual([network]);
    expect(among([network], { ...pending })).toEqual([network]);
  });

  test("knows the owner by every way in which it is written", () => {
    const left = found("container", ID);
    for (const resource of [NETWORK, VOLUME]) {
      expect(among([left], { resources: [resource] })).toEqual([left]);
    }
  });

  test.each([
    ["the state has another owner", { resources: [VOLUME] }, "fedcba9876543210"],
    ["the state has no owner yet", { resources: [{ type: "pulumi:pulumi:Stack" }] }, OWNER],
    ["there was no up", null, OWNER],
  ])("spares somebody else's: %s", (_, deployment, owner) => {
    expect(among([found("container", ID, owner)], deployment)).toEqual([]);
  });
});

describe("a data volume", () => {
  const { id } = VOLUME;
  const volume = (generation: string) => found("volume", id, OWNER, generation);
  const creating = (generation: string, retainOnDelete = false) => {
    const labels = [
      ...VOLUME.inputs.labels,
      { label: "nats-regions.generation", value: generation },
    ];
    const resource = { ...VOLUME, inputs: { name: id, labels }, retainOnDelete };
    return { resources: [NETWORK], pending_operations: [{ resource, type: "creating" }] };
  };

  test("goes with the stack where the state has it", () => {
    const data = volume("1");
    expect(remains([data], { resources: [VOLUME] })).toEqual({
      leftovers: [],
      kept: [],
      going: [id],
    });
  });

  test("goes where a creation that never ended made it", () => {
    const data = volume("1");
    expect(remains([data], creating("1"))).toEqual({ leftovers: [data], kept: [], going: [id] });
  });

  test.each([
    ["the state keeps it", { resources: [{ ...VOLUME, retainOnDelete: true }] }],
    ["its node left, and it was kept", { resources: [NETWORK] }],
    ["it was there before the creation that never ended", creating("2")],
    ["the creation that never ended was of one to be kept", creating("1", true)],
  ])("stays: %s", (_, deployment) => {
    const expected = { leftovers: [], kept: [id], going: [] };
    expect(remains([volume("1")], deployment)).toEqual(expected);
  });
});
