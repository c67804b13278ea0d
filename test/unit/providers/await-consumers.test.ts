import { beforeEach, expect, test } from "vitest";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import type { ConsumerProgress } from "../../../lib/streams/stream-loss.ts";
import type { StreamInputs } from "../../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../../providers/streams/stream-lifecycle.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { SEED_FLEET } from "../../support/seed.ts";

/** The end of a stream's change: what the servers tell of its consumers is made up here. */

const CONFIG: StreamConfig = { name: "ORDERS", num_replicas: 3, placement: { tags: ["rg:2"] } };
const IN_REGION_1 = ["rg1-az1", "rg1-az2", "rg1-az3"];
const IN_REGION_2 = ["rg2-az1", "rg2-az2", "rg2-az3"];

/** Tells of consumers what {@link told} has. */
class Telling extends FakeJetStream {
  override consumers(): Promise<readonly ConsumerProgress[]> {
    const at = Math.min(looks++, told.length - 1);
    return Promise.resolve(told[at] as readonly ConsumerProgress[]);
  }
}

let jetStream: FakeJetStream;
/** What is told of the consumers at each look, the last one for good; undefined: some don't answer. */
let told: (readonly ConsumerProgress[] | undefined)[];
let looks: number;

function consumer(hosts: readonly string[], isDurable = true): ConsumerProgress {
  const [leader = "", ...followers] = hosts;
  return {
    name: "worker",
    config: isDurable ? { durable_name: "worker" } : {},
    cluster: {
      ...(leader === "" ? {} : { leader }),
      replicas: followers.map((name) => ({ name, current: true })),
    },
    num_pending: 0,
    num_ack_pending: 0,
    delivered: { stream_seq: 0 },
    ack_floor: { stream_seq: 0 },
  };
}

async function change(patience = 5_000): Promise<void> {
  const options = { pause: 1, silence: 50, patience, say: () => undefined };
  const lifecycle = streamLifecycle(() => jetStream, options);
  const identity = { stream: "ORDERS", account: "APP", policy: {}, hosts: IN_REGION_2 };
  const inputs: StreamInputs = { ...identity, config: { ...CONFIG, description: "changed" } };
  const olds = { ...inputs, config: CONFIG, leader: "", replicas: [], created: "" };
  await lifecycle.update("", olds, inputs);
}

beforeEach(async () => {
  jetStream = new Telling(SEED_FLEET);
  await jetStream.create(CONFIG);
  jetStream.streams.get("ORDERS")?.consumers.push(consumer(IN_REGION_2));
  looks = 0;
});

test("a change ends once all its consumers are where the stream is, with a leader", async () => {
  told = [
    undefined,
    [consumer([])],
    [consumer(IN_REGION_1)],
    [consumer(IN_REGION_2.slice(0, 2))],
    [consumer(IN_REGION_2)],
  ];
  await change();
  expect(looks).toBe(6);
});

test("consumers that nobody keeps on purpose hold up nothing", async () => {
  told = [[consumer(IN_REGION_1, false)]];
  await change();
});

test("one that doesn't come is named, with what it waits for", async () => {
  told = [[consumer(IN_REGION_1)]];
  await expect(change(100)).rejects.toThrow(
    "stream ORDERS is where it should be, but not its 1 consumer, which made no progress for 0.1 s: consumer worker: it is still on rg1-az1, rg1-az2, rg1-az3, where its stream is not",
  );
});
