import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { ExistingCluster, Stream } from "../../../components/index.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { streamsConnectionSchema } from "../../../live/jetstream/connection.ts";
import { recordResources } from "../../support/mocks.ts";
import { SEED_SERVERS } from "../../support/seed.ts";

const ARGS = {
  servers: ["tls://n1.example.com", "10.0.0.2:4333"],
  login: { user: "app", password: pulumi.secret("app-Zebra") },
  account: "SHOP",
  accounts: { BILLING: { login: { token: pulumi.secret("bill-Yak") } } },
  topology: { uniqueTag: "az:", servers: SEED_SERVERS },
  domain: "hub",
  patience: "5m",
};
const ORDERS = { subjects: ["orders.*"], replicas: 3, placement: { region: "2" } };

describe("a cluster that others run", () => {
  test("is a provider with the logins, a roster and the streams, and nothing else", async () => {
    const recorder = await recordResources();
    const streams = { ORDERS: { ...ORDERS, consumers: { worker: {} } } };
    const cluster = new ExistingCluster("prod", { ...ARGS, streams });
    const bills = new Stream("BILLS", { cluster, account: "BILLING" });
    await promiseOf(bills.urn);
    const recorded = await recorder.settled(6);
    const types = Object.fromEntries(recorded.map(({ name, type }) => [name, type]));
    expect(types).toEqual({
      prod: "nats-regions:index:ExistingCluster",
      "prod-jetstream": "pulumi:providers:pulumi-nodejs",
      "prod-streams": "pulumi-nodejs:dynamic/nats:StreamRoster",
      "prod-ORDERS": "pulumi-nodejs:dynamic/nats:Stream",
      "prod-ORDERS.worker": "pulumi-nodejs:dynamic/nats:Consumer",
      BILLS: "pulumi-nodejs:dynamic/nats:Stream",
    });
    const provider = recorded.find(({ name }) => name === "prod-jetstream");
    expect(provider?.plainInputs).toEqual({ "nats:connection": "[secret]" });
    const connection: unknown = JSON.parse(`${provider?.inputs["nats:connection"]}`);
    expect(streamsConnectionSchema.parse(connection)).toEqual({
      urls: ["tls://n1.example.com:4222", "nats://10.0.0.2:4333"],
      tls: { names: ["n1.example.com", "10.0.0.2"], byHost: true },
      logins: { SHOP: { user: "app", password: "app-Zebra" }, BILLING: { token: "bill-Yak" } },
      account: "SHOP",
      apiPrefix: "$JS.hub.API",
      patience: 300_000,
    });
    expect(JSON.stringify(recorded.map(({ plainInputs }) => plainInputs))).not.toMatch(/Zebra|Yak/);
    const orders = recorded.find(({ name }) => name === "prod-ORDERS");
    expect(orders).toMatchObject({
      provider: "prod-jetstream",
      dependencies: ["prod-streams"],
      inputs: { account: "SHOP", config: { placement: { tags: ["rg:2"] } } },
    });
    expect(JSON.parse(`${orders?.inputs.fleet}`)).toMatchObject({ uniqueTag: "az:" });
  });

  test("refuses options that it can't honour", () => {
    expect(() => new ExistingCluster("prod", ARGS, { replaceOnChanges: ["*"] })).toThrow(
      "ExistingCluster prod: replaceOnChanges: *: its servers are others'",
    );
  });
});
