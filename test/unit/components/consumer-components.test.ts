import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { Consumer } from "../../../components/consumer.ts";
import type { FollowedConsumer } from "../../../components/consumer-host.ts";
import { DeclaredStreams } from "../../../components/declared-streams.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { Stream } from "../../../components/stream.ts";
import type { FollowedStream } from "../../../components/stream-host.ts";
import { BareCluster } from "../../support/bare-cluster.ts";
import { recordResources } from "../../support/mocks.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const CONSUMERS = ["worker", "beside"].map((name) => ({
  name,
  config: { name, ack_wait: 60_000_000_000 },
  policy: {},
}));

it("consumers stand below their stream, and wait for it", async () => {
  const recorder = await recordResources();
  const plan = {
    key: "ORDERS",
    name: "SALES",
    account: "APP",
    config: { name: "SALES" },
    policy: {},
    consumers: CONSUMERS,
    placement: { kind: "exact", hosts: [] },
  } as const;
  const fleet = pulumi.output(JSON.stringify(SEED_FLEET));
  const stage = { plan, fleet, checked: pulumi.output(undefined), after: [] };
  const cluster = new BareCluster("c1", "key", { ORDERS: Promise.resolve(stage) });
  const stream = new Stream("ORDERS", { cluster, consumers: { worker: { ackWait: "1m" } } });
  const beside = new Consumer("team-worker", { stream, consumer: "beside", ackWait: "1m" });
  expect(Object.keys(stream.consumers)).toEqual(["worker"]);
  const all = [beside, ...Object.values(stream.consumers)];
  await Promise.all(all.map(({ urn }) => promiseOf(urn)));
  const recorded = await recorder.settled(6);
  for (const [name, consumer] of [
    ["ORDERS.worker", "worker"],
    ["team-worker", "beside"],
  ] as const) {
    const found = recorded.find((each) => each.name === name);
    expect(found).toMatchObject({
      type: "pulumi-nodejs:dynamic/nats:Consumer",
      dependencies: ["ORDERS"],
      provider: "c1-jetstream",
      inputs: {
        account: "APP",
        stream: "SALES",
        consumer,
        config: { name: consumer, ack_wait: 60_000_000_000 },
      },
    });
  }
  expect(() => new Consumer("x", { stream }, { ignoreChanges: ["config"] })).toThrow(
    "Consumer x: ignoreChanges: config: what is planned",
  );
});

it("consumers are placed with their stream, by their names on the servers", async () => {
  const hosts = (leader: string) =>
    ({
      leader: pulumi.output(leader),
      replicas: pulumi.output([leader]),
    }) as unknown as FollowedConsumer;
  const declared = new DeclaredStreams("c1");
  const stream = {
    ...hosts("n1"),
    account: pulumi.output("APP"),
    config: pulumi.output({ name: "ORDERS" }),
  } as unknown as FollowedStream;
  for (const name of ["ORDERS", "BARE"]) {
    declared.declare("stream", name, {});
    declared.follow("stream", name, stream);
  }
  const worker = hosts("n2");
  declared.declareConsumer("ORDERS", "worker", {});
  declared.declareConsumer("ORDERS", "unmade", {});
  declared.followConsumer("ORDERS", "worker", worker);
  declared.close();
  expect(declared.resources).toEqual([stream, worker, stream]);
  const { ORDERS, BARE } = await promiseOf(pulumi.output(declared.placements(false)));
  expect(ORDERS?.consumers).toEqual({ worker: { leader: "n2", replicas: ["n2"] } });
  expect(BARE).not.toHaveProperty("consumers");
});

it("consumers of a stream's settings and those beside it are planned together", () => {
  const declared = new DeclaredStreams("c1");
  declared.declare("stream", "ORDERS", { subjects: ["orders.*"], consumers: { worker: {} } });
  declared.declareConsumer("ORDERS", "worker", {});
  declared.declareConsumer("ORDERS", "beside", { ackWait: "1m" });
  expect(() => declared.declareConsumer("ORDERS", "beside", {})).toThrow(
    "Consumer beside: stream ORDERS has one of that name already.",
  );
  expect(declared.close().streams).toEqual({
    ORDERS: { subjects: ["orders.*"], consumers: { worker: {}, beside: { ackWait: "1m" } } },
  });
  expect(() => declared.declareConsumer("ORDERS", "late", {})).toThrow("is planned already");
});
