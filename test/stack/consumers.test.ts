import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAsUser } from "../support/connect-as-user.ts";
import { pull, pullAll } from "../support/pull-client.ts";
import { TestStack } from "../support/stack.ts";

/** Consumers through everyday use, and what people do to single ones by hand. */

const ORDERS = { subjects: ["orders.*"], replicas: 3 };
const worker = { filterSubjects: ["orders.new"] };

let stack: TestStack;
let client: NatsConnection;

interface Info {
  readonly created: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly ack_floor: { readonly stream_seq: number };
  readonly cluster: { readonly leader?: string; readonly replicas?: readonly object[] };
  readonly error?: { readonly err_code: number };
}

const up = (...args: string[]) => stack.expectPulumi("up", "--yes", "--skip-preview", ...args);
const preview = async (...args: string[]) => (await stack.pulumi("preview", ...args)).text;
const configure = (consumers: object, stream: object = {}) =>
  stack.configure({ regions: ["rg1"], streams: { ORDERS: { ...ORDERS, ...stream, consumers } } });

async function ask<Answer>(subject: string, body: object = {}): Promise<Answer> {
  const answer = await client.request(subject, JSON.stringify(body), { timeout: 5_000 });
  return answer.json<Answer>();
}

const info = (consumer: string) => ask<Info>(`$JS.API.CONSUMER.INFO.ORDERS.${consumer}`);
const put = (consumer: string, config: object) =>
  ask<Info>(`$JS.API.CONSUMER.CREATE.ORDERS.${consumer}`, {
    stream_name: "ORDERS",
    config: { durable_name: consumer, name: consumer, ack_policy: "explicit", ...config },
  });

function urnOf(end: string): string {
  return stack.deployment().resources.find(({ urn }) => urn.endsWith(end))?.urn ?? "";
}

async function expectUnchanged(): Promise<void> {
  expect(await stack.expectPulumi("preview", "--expect-no-changes")).toContain("unchanged");
}

beforeAll(async () => {
  stack = await TestStack.create({ regions: ["rg1"], streams: { ORDERS } });
  configure({ worker });
  await up();
  client = await connectAsUser(stack);
});

afterAll(async () => {
  await client.close();
  await stack.remove();
});

test("a consumer in the settings is made below its stream, with its leader and replicas", async () => {
  expect(urnOf("ORDERS.worker")).toMatch(/dynamic\/nats:Stream\$.*nats:Consumer::ORDERS\.worker$/);
  const { config, cluster } = await info("worker");
  expect(config).toMatchObject({ durable_name: "worker", filter_subjects: ["orders.new"] });
  expect(cluster.leader).toBeTruthy();
  expect(cluster.replicas).toHaveLength(2);
  const { streams } = await stack.outputs();
  const hosts = ["rg1-az1", "rg1-az2", "rg1-az3"];
  expect(streams.ORDERS?.consumers?.worker?.replicas).toEqual(hosts);
  expect(hosts).toContain(streams.ORDERS?.consumers?.worker?.leader);
  await expectUnchanged();
});

test("a change in place keeps where it stands, one that the server can't make is refused", async () => {
  for (let sent = 1; sent <= 5; sent += 1) await client.request("orders.new", `order ${sent}`);
  for (let taken = 1; taken <= 3; taken += 1) await (await pull(client, "ORDERS", "worker"))?.ack();
  const { created } = await info("worker");
  configure({ worker: { ...worker, ackWait: "1m" } });
  await up();
  expect(await info("worker")).toMatchObject({ created, ack_floor: { stream_seq: 3 } });
  configure({ worker: { ...worker, ackWait: "1m", deliverPolicy: "new" } });
  expect(await preview()).toContain(
    "all is acknowledged up to sequence 3; 2 messages wait for delivery, 0 for acknowledgement",
  );
  configure({ worker: { ...worker, ackWait: "1m", deliverPolicy: "new", recreate: "atAckFloor" } });
  expect(await preview()).toContain("is made anew");
  await up();
  expect((await pull(client, "ORDERS", "worker"))?.data).toBe("order 4");
  await expectUnchanged();
  await up("--refresh");
  await expectUnchanged();
});

test("one that is replaced or tainted, or whose stream is, stays where it is", async () => {
  const { created } = await info("worker");
  await up("--replace", urnOf("ORDERS.worker"));
  await up("--replace", urnOf("nats:Stream::ORDERS"));
  await stack.expectPulumi("state", "taint", urnOf("ORDERS.worker"), "--yes");
  await up();
  expect((await info("worker")).created).toBe(created);
  await expectUnchanged();
});

test("one is changed alone, and one that was changed by hand is put right", async () => {
  const audit = { ackPolicy: "all" };
  configure({ worker: { ...worker, deliverPolicy: "new", maxDeliver: 7 }, audit });
  await up("--target", urnOf("ORDERS.worker"));
  expect((await info("worker")).config.max_deliver).toBe(7);
  expect((await info("audit")).error?.err_code).toBe(10_014);
  await up();
  await put("audit", { ack_policy: "all", max_deliver: 2 });
  expect(await preview("--refresh", "--diff")).toContain("max_deliver");
  await up("--refresh");
  expect((await info("audit")).config.max_deliver).toBe(-1);
});

test("one that somebody has deleted is named, and made again", async () => {
  await ask("$JS.API.CONSUMER.DELETE.ORDERS.audit");
  expect(await preview()).toContain("consumer audit of stream ORDERS was there after the last up");
  await up("--refresh");
  expect((await info("audit")).config.ack_policy).toBe("all");
  await expectUnchanged();
});

test("one that is there already is refused, or adopted where it stands", async () => {
  const { created } = await put("found", { max_deliver: 9 });
  const others = { worker: { ...worker, deliverPolicy: "new", maxDeliver: 7 } };
  configure({ ...others, found: {} });
  expect(await preview()).toContain("set adopt: true for it to get these settings");
  configure({ ...others, found: { adopt: true } });
  // The other one leaves, and the preview says where it stood.
  expect(await preview()).toContain("consumer audit of stream ORDERS is taken out of the settings");
  await up();
  expect(await info("found")).toMatchObject({ created, config: { max_deliver: -1 } });
  expect((await info("audit")).error?.err_code).toBe(10_014);
  await expectUnchanged();
});

test("consumers follow their stream as it scales, and can't have more replicas than it", async () => {
  configure({ worker: { ...worker, deliverPolicy: "new", replicas: 3 } });
  await up();
  configure({ worker: { ...worker, deliverPolicy: "new", replicas: 3 } }, { replicas: 1 });
  expect(await preview()).toContain("3 is more than its stream has: 1");
  configure({ worker: { ...worker, deliverPolicy: "new" } }, { replicas: 1 });
  await up();
  expect((await info("worker")).cluster.replicas ?? []).toHaveLength(0);
  await expectUnchanged();
  configure({ worker: { ...worker, deliverPolicy: "new" } });
  await up();
  expect((await info("worker")).cluster.replicas).toHaveLength(2);
  await expectUnchanged();
});

test("an up that is killed among consumers is finished by the next one", async () => {
  for (let sent = 1; sent <= 3; sent += 1) await client.request("orders.new", `late ${sent}`);
  while ((await pull(client, "ORDERS", "worker"))?.data !== "late 1");
  const { ack_floor } = await info("worker");
  const made = Object.fromEntries(["c1", "c2", "c3", "c4", "c5", "c6"].map((name) => [name, {}]));
  const anew = { ...worker, deliverPolicy: "new", maxWaiting: 100, recreate: "atAckFloor" };
  configure({ worker: anew, ...made });
  for (const milliseconds of [4_000, 6_000, 8_000]) {
    await stack.killAfter(milliseconds, "up", "--yes", "--skip-preview");
  }
  await up();
  const { consumers } = await ask<{ consumers: string[] }>("$JS.API.CONSUMER.NAMES.ORDERS");
  expect(consumers.sort()).toEqual([...Object.keys(made), "worker"].sort());
  expect((await info("worker")).ack_floor.stream_seq).toBeLessThanOrEqual(ack_floor.stream_seq);
  const again = (await pullAll(client, "ORDERS", "worker")).map(({ data }) => data);
  for (const late of ["late 1", "late 2", "late 3"]) expect(again).toContain(late);
  await expectUnchanged();
});

test("a stream that leaves takes its consumers along", async () => {
  const LOGS = { subjects: ["logs.*"], consumers: { reader: {} } };
  const consumers = { worker: { ...worker, deliverPolicy: "new", maxWaiting: 100 } };
  const settings = { regions: ["rg1"], streams: { ORDERS: { ...ORDERS, consumers } } };
  stack.configure({ ...settings, streams: { ...settings.streams, LOGS } });
  await up();
  stack.configure(settings);
  await up();
  expect(urnOf("LOGS.reader")).toBe("");
  await expectUnchanged();
});

test("the status shows consumers with what waits, those that are paused, and those that are gone", async () => {
  const consumersOf = async () => {
    const { stdout } = await stack.script("status", "--json");
    const report = JSON.parse(stdout);
    return { ...report.streams[0], problems: report.problems };
  };
  await ask("$JS.API.STREAM.PURGE.ORDERS");
  await client.request("orders.new", "order");
  await put("stranger", {});
  expect(await consumersOf()).toMatchObject({
    consumers: [{ name: "worker", verdict: "in place", pending: 1, ackPending: 0 }],
    otherConsumers: 1,
    problems: [],
  });
  await pull(client, "ORDERS", "worker");
  await ask("$JS.API.CONSUMER.PAUSE.ORDERS.worker", { pause_until: "2100-01-01T00:00:00Z" });
  const [shown] = (await consumersOf()).consumers;
  expect(shown).toMatchObject({ verdict: "paused", pending: 0, ackPending: 1 });
  expect(shown.replicas).toHaveLength(3);
  for (const name of ["worker", "stranger"]) await ask(`$JS.API.CONSUMER.DELETE.ORDERS.${name}`);
  expect(await consumersOf()).toMatchObject({
    consumers: [{ name: "worker", verdict: "missing" }],
    problems: ["ORDERS/worker: no node that answers knows this consumer."],
  });
  await up("--refresh");
  expect(await consumersOf()).toMatchObject({ consumers: [{ verdict: "in place" }], problems: [] });
});
