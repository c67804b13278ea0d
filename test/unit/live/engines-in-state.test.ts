import { describe, expect, test } from "vitest";
import {
  enginePlacesIn,
  hasUnplacedIn,
  holdingsIn,
  partsByEngine,
  streamsIn,
} from "../../../live/engine/engines-in-state.ts";

const STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev";
const urnOf = (type: string, name: string) => `urn:pulumi:dev::p::${type}::${name}`;
const CLUSTER = "nats-regions:index:NatsCluster";
const PROVIDER = "pulumi:providers:docker";

const placeOf = (key: string, host: string, address = `10.0.1.${key.at(2)}`) => ({
  key,
  host,
  address,
  ssh: [],
});
const RG1 = placeOf("rg1", "ssh://m1");
const RG2 = placeOf("rg2", "far");
const RG3 = placeOf("rg3", "ssh://m3");

const cluster = (name: string) => ({ urn: urnOf(CLUSTER, name), type: CLUSTER, parent: STACK });

const provider = (name: string, inputs: object, of = "c1") => ({
  urn: urnOf(PROVIDER, name),
  id: "c0ffee-d00d",
  type: PROVIDER,
  parent: urnOf(CLUSTER, of),
  inputs,
});

/** A container or volume of a node, in its node. */
const made = (kind: "container" | "volume", name: string, by: string, of = "c1") => {
  const type = `docker:index/${kind}:${kind === "volume" ? "Volume" : "Container"}`;
  const node = urnOf("nats-regions:index:NatsNode", `${of}-${name}`);
  return [
    { urn: node, type: "nats-regions:index:NatsNode", parent: urnOf(CLUSTER, of) },
    {
      urn: urnOf(type, `${of}-${name}-${kind}`),
      type,
      parent: node,
      provider: `${urnOf(PROVIDER, by)}::c0ffee-d00d`,
      inputs: { name },
    },
  ];
};

const script = (name: string, environment: object, of = "c1") => ({
  urn: urnOf("command:local:Command", name),
  type: "command:local:Command",
  parent: urnOf(CLUSTER, of),
  inputs: { environment },
});

const stateOf = (resources: readonly object[], pending?: readonly object[]) => ({
  version: 3,
  deployment: {
    resources: [{ urn: STACK, type: "pulumi:pulumi:Stack" }, ...resources],
    ...(pending ? { pending_operations: pending.map((resource) => ({ resource })) } : {}),
  },
});

const TWO = [
  cluster("c1"),
  provider("c1-docker-rg1", { host: RG1.host, context: "" }),
  provider("c1-docker-rg2", { host: "", context: RG2.host }),
  script("c1-gate", { OWNER: "x", ENGINES: JSON.stringify([RG1, RG2]) }),
  ...made("container", "rg1-az1", "c1-docker-rg1"),
  ...made("volume", "rg2-az1", "c1-docker-rg2"),
];

describe("the engines of a state", () => {
  test("are those with containers or volumes, where its scripts say that they are", () => {
    expect(enginePlacesIn(stateOf(TWO))).toEqual([RG1, RG2]);
    expect(enginePlacesIn(stateOf(TWO.slice(0, -2)))).toEqual([RG1]);
  });

  test("are where scripts say that ran last, as machines get other addresses", () => {
    const moved = { ...RG1, address: "10.9.9.9" };
    const later = script("c1-shutdown", { ENGINES: JSON.stringify([moved]) });
    expect(enginePlacesIn(stateOf([...TWO, later]))).toEqual([moved, RG2]);
  });

  test("are those that the settings no longer have, too", () => {
    const former = { ...RG3, key: "rg3 (former)" };
    const state = stateOf([
      ...TWO,
      provider("c1-docker-rg3", { host: RG3.host }),
      ...made("container", "rg3-az1", "c1-docker-rg3"),
      script("c1-retire", {
        ENGINES: JSON.stringify([RG1]),
        FORMER_ENGINES: JSON.stringify([former]),
      }),
    ]);
    expect(enginePlacesIn(state)).toEqual([RG1, RG2, former]);
  });

  test("are one where two providers lead to it, as after a killed update with another key", () => {
    const renamed = [
      provider("c1-docker-rg0", { host: RG1.host }),
      ...made("container", "rg0-az1", "c1-docker-rg0"),
    ];
    expect(enginePlacesIn(stateOf([...TWO, ...renamed]))).toEqual([RG1, RG2]);
  });

  test("are those on which something was about to be made as an update was killed", () => {
    const [node, volume] = made("volume", "rg2-az1", "c1-docker-rg2");
    const killed = stateOf([...TWO.slice(0, -2), node ?? {}], [volume ?? {}]);
    expect(enginePlacesIn(killed)).toEqual([RG1, RG2]);
    expect(enginePlacesIn(killed, urnOf(CLUSTER, "c1"))).toEqual([RG1, RG2]);
  });

  test("are of one cluster, where others are beside it", () => {
    const both = stateOf([
      ...TWO,
      cluster("c2"),
      provider("c2-docker-rg3", { host: RG3.host }, "c2"),
      script("c2-gate", { ENGINES: JSON.stringify([RG3]) }, "c2"),
      ...made("container", "rg3-az1", "c2-docker-rg3", "c2"),
      cluster("c3"),
      ...made("container", "rg1-az1", "default_5_2_0", "c3"),
    ]);
    const placesOf = (name: string) => enginePlacesIn(both, urnOf(CLUSTER, name));
    expect(enginePlacesIn(both)).toEqual([RG1, RG2, RG3]);
    expect([placesOf("c1"), placesOf("c2"), placesOf("c3")]).toEqual([[RG1, RG2], [RG3], []]);
    const isUnplaced = (name: string) => hasUnplacedIn(both, urnOf(CLUSTER, name));
    expect(["c1", "c2", "c3"].map(isUnplaced)).toEqual([false, false, true]);
  });

  test.each([{}, { deployment: null }, stateOf([]), stateOf([], [])])("are none in %j", (state) => {
    expect(enginePlacesIn(state)).toEqual([]);
    expect(hasUnplacedIn(state)).toBe(false);
  });
});

describe("what each engine has", () => {
  const state = stateOf([
    cluster("c1"),
    cluster("c1-docker"),
    provider("c1-docker-rg1", { host: "ssh://m1" }),
    provider("c1-docker-rg3", { host: "ssh://m1" }),
    provider("c1-docker-docker-rg9", { host: "ssh://m1" }, "c1-docker"),
    ...made("container", "n1", "c1-docker-rg1"),
    ...made("volume", "n1", "c1-docker-rg1"),
  ]);

  test("is told by the keys in its provider's name, wherever that leads", () => {
    expect(partsByEngine(state, "c1-docker-", urnOf(CLUSTER, "c1"))).toEqual(
      new Map([
        ["rg1", { containers: ["n1"], isEmpty: false }],
        ["rg3", { containers: [], isEmpty: true }],
      ]),
    );
  });

  test("isn't empty with a volume that is left", () => {
    const left = stateOf([provider("c1-docker-rg3", {}), ...made("volume", "n3", "c1-docker-rg3")]);
    const parts = { containers: [], isEmpty: false };
    expect(partsByEngine(left, "c1-docker-")).toEqual(new Map([["rg3", parts]]));
  });
});

test("the streams of a state are those of its resources", () => {
  const stream = (name: string, inputs: object) => ({
    urn: urnOf("pulumi-nodejs:dynamic/nats:Stream", name),
    type: "pulumi-nodejs:dynamic/nats:Stream",
    inputs,
  });
  const state = stateOf([stream("A", { stream: "ORDERS", account: "APP" }), cluster("c1")]);
  expect(streamsIn(state)).toEqual([{ account: "APP", name: "ORDERS" }]);
  expect(streamsIn({})).toEqual([]);
});

describe("what the environment's engine has", () => {
  test("is what the default provider made, or one that names no engine", () => {
    const byDefault = made("container", "rg1-az1", "default_5_2_0");
    expect(hasUnplacedIn(stateOf([...TWO, ...byDefault]))).toBe(true);
    expect(
      hasUnplacedIn(stateOf([...TWO, provider("default_5_2_0", { host: "" }), ...byDefault])),
    ).toBe(true);
    expect(hasUnplacedIn(stateOf(TWO))).toBe(false);
  });

  test("isn't an image, which is nobody's loss", () => {
    const image = {
      urn: urnOf("docker:index/remoteImage:RemoteImage", "c1-image"),
      type: "docker:index/remoteImage:RemoteImage",
      provider: `${urnOf(PROVIDER, "default_5_2_0")}::c0ffee`,
    };
    expect(hasUnplacedIn(stateOf([...TWO, image]))).toBe(false);
  });
});

describe("what a stack has on an engine", () => {
  const container = (name: string, by: string) =>
    made("container", name, by).map((each) =>
      "inputs" in each ? { ...each, inputs: { name, hostname: name } } : each,
    );
  const configured = (name: string) => ({
    ...script(`c1-${name}-configured`, { ENGINES: JSON.stringify([RG1, RG3]) }),
    parent: urnOf("nats-regions:index:NatsNode", `c1-${name}`),
  });
  const network = (place: typeof RG1) =>
    script(`c1-network-${place.key}`, { NETWORK: "p-dev", ENGINES: JSON.stringify([place]) });
  const RG30 = placeOf("rg30", "ssh://m30");
  const ALL = [
    cluster("c1"),
    ...[RG1, RG3, RG30].map(({ key, host }) => provider(`c1-docker-${key}`, { host })),
    ...[RG1, RG3, RG30].map(network),
    script("c1-wave-1", { ENGINES: JSON.stringify([RG1, RG3, RG30]) }),
    ...[RG1, RG3, RG30].flatMap(({ key }) => [
      ...container(`${key}-az1`, `c1-docker-${key}`),
      ...made("volume", `${key}-az1`, `c1-docker-${key}`).slice(1),
      configured(`${key}-az1`),
    ]),
    // A stream of the same name as the region.
    {
      urn: urnOf("pulumi-nodejs:dynamic/nats:Stream", "rg3"),
      type: "pulumi-nodejs:dynamic/nats:Stream",
    },
  ];

  test("is all that is there, and nothing else", () => {
    const { urns, nodes } = holdingsIn(stateOf(ALL), RG3.host);
    expect(nodes).toEqual(["rg3-az1"]);
    expect(urns.map((urn) => urn.split("::").at(-1)).sort()).toEqual([
      "c1-docker-rg3",
      "c1-network-rg3",
      "c1-rg3-az1-configured",
      "c1-rg3-az1-container",
      "c1-rg3-az1-volume",
    ]);
  });

  test("is nothing where the state knows no such engine, and of what was about to be made", () => {
    expect(holdingsIn(stateOf(ALL), "ssh://m4")).toEqual({ urns: [], nodes: [] });
    const pending = stateOf([cluster("c1")], container("rg3-az1", "c1-docker-rg3"));
    expect(holdingsIn(pending, RG3.host)).toEqual({ urns: [], nodes: [] });
  });
});
