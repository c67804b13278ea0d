import { beforeEach, expect, test } from "vitest";
import type { Fleet } from "../../../lib/placement/placement.ts";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import type { StreamInputs, StreamOutputs } from "../../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../../providers/streams/stream-lifecycle.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const UNKNOWN: Fleet = { cluster: "c1", uniqueTag: "", servers: [], unknown: true };
const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);

let jetStream: FakeJetStream;

beforeEach(() => {
  jetStream = new FakeJetStream(SEED_FLEET);
});

function at(tag: string): StreamConfig {
  return { name: "ORDERS", subjects: ["orders.*"], num_replicas: 3, placement: { tags: [tag] } };
}

/** What an `up` makes of a stream: its outputs, and whether it changed anything. */
async function up(olds: StreamOutputs | undefined, config: StreamConfig, fleet: Fleet) {
  const options = { patience: 5_000, pause: 1, silence: 50, say: () => undefined };
  const lifecycle = streamLifecycle(() => jetStream, options);
  const news = { stream: "ORDERS", account: "APP", config, policy: {}, fleet };
  const { inputs, failures } = await lifecycle.check(olds ?? {}, news);
  expect(failures ?? []).toEqual([]);
  if (!olds) return { ...(await lifecycle.create(inputs as StreamInputs)), changes: true };
  const { changes } = await lifecycle.diff("ORDERS", olds, inputs as StreamInputs);
  if (!changes) return { outs: olds, changes };
  const { outs } = await lifecycle.update("ORDERS", olds, inputs as StreamInputs);
  return { outs: outs as StreamOutputs, changes };
}

test("a stream goes where the servers put it, and stays there", async () => {
  const { outs } = await up(undefined, at("rg:2"), UNKNOWN);
  expect(outs).toMatchObject({ hosts: [], replicas: region(2) });
  expect((await up(outs, at("rg:2"), UNKNOWN)).changes).toBe(false);
  const moved = await up(outs, at("rg:3"), UNKNOWN);
  expect(moved.outs).toMatchObject({ hosts: [], replicas: region(3) });
});

test("a stream keeps the hosts that it was planned for when the servers were known", async () => {
  const { outs } = await up(undefined, at("rg:2"), SEED_FLEET);
  expect(outs.hosts).toEqual(region(2));
  const later = await up(outs, { ...at("rg:2"), max_msgs: 10 }, UNKNOWN);
  expect(later.outs).toMatchObject({ hosts: region(2), replicas: region(2) });
  expect((await up(outs, at("rg:2"), UNKNOWN)).changes).toBe(false);
});
