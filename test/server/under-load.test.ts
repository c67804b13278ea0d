import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import {
  closeConnections,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { retry } from "../../live/jetstream/patience.ts";
import { hostsOf } from "../../providers/streams/replicas.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { type StreamLifecycle, streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { checksums, Load, readReplicas } from "../support/load.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { seededRandom } from "../support/random.ts";

const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);
/** More by `npm run chaos`. */
const KILLS = Number(process.env.MOVE_KILLS ?? 3);
/** A move of these sizes takes a second. */
const LATEST_KILL_MS = 1_500;
/** A stream that gets more replicas has no leader to answer for a moment. */
const PACE = { patience: 20_000, silence: 20_000, pause: 100 };
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);

/** Where a stream may be. */
interface Place {
  readonly replicas: number;
  readonly tags: readonly string[];
  /** More than there are replicas where the server chooses. */
  readonly hosts: readonly string[];
}

const place = (replicas: number, tags: readonly string[], hosts: readonly string[]): Place => ({
  replicas,
  tags,
  hosts,
});
const ACROSS = ["rg1-az1", "rg2-az2", "rg3-az3"];

let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;
let load: Load;
/** What the person at the terminal would read. */
let said: string[] = [];
const open = (account: string) => openJetStream(cluster.connection, account);
let provider: StreamLifecycle;

beforeAll(async () => {
  cluster = await startCluster();
  port = openJetStream(cluster.connection, cluster.account);
  const { urls, user, password } = cluster.connection;
  client = await connect({ servers: [...urls], user, pass: password, ignoreClusterUpdates: true });
});

afterAll(async () => {
  await client.close();
  await closeConnections();
  await cluster.stop();
});

async function planned(
  { replicas, tags }: Place,
  olds: Partial<StreamInputs> = {},
): Promise<StreamInputs> {
  const config: StreamConfig = {
    name: "ORDERS",
    subjects: ["orders.>"],
    num_replicas: replicas,
    placement: { tags },
  };
  const { account, fleet } = cluster;
  const news = { stream: "ORDERS", account, config, policy: {}, fleet };
  const { inputs, failures } = await provider.check(olds, news);
  expect(failures).toEqual([]);
  return inputs as StreamInputs;
}

async function updated(olds: StreamOutputs, news: StreamInputs): Promise<StreamOutputs> {
  return (await provider.update("ORDERS", olds, news)).outs as StreamOutputs;
}

/** As many hosts as replicas, all of them planned, and the servers say the same. */
async function expectAt({ replicas, hosts }: Place, outs: StreamOutputs): Promise<void> {
  expect(outs.replicas).toHaveLength(replicas);
  expect(hosts).toEqual(expect.arrayContaining([...outs.replicas]));
  const info = await port.info("ORDERS");
  expect(hostsOf(info)).toEqual(outs.replicas);
  expect(info.cluster?.desired).toBeUndefined();
}

/** Every acknowledged message is there, and every replica holds the same. */
async function expectNothingLost(what: string): Promise<void> {
  await load.stop();
  const replicas = await readReplicas(client, port, "ORDERS");
  const sums = checksums(replicas);
  const [contents = new Map<number, string>()] = replicas.values();
  console.info(
    `${what}: ${load.acked.size} acknowledged, ${contents.size} stored, ${load.unanswered} unanswered, ${new Set(Object.values(sums)).size} version(s) on ${Object.keys(sums).length} replicas`,
  );
  expect(load.missingFrom(contents)).toEqual([]);
  expect(load.givenTwice).toEqual([]);
  expect(new Set(Object.values(sums)).size).toBe(1);
}

describe("a stream in use", () => {
  let outs: StreamOutputs;

  beforeEach(async () => {
    provider = streamLifecycle(open, { say: (line) => void said.push(line) });
    said = [];
    outs = (await provider.create(await planned(place(3, ["rg:1"], region(1))))).outs;
    load = new Load(client, "orders.new");
  });

  afterEach(async () => {
    await load.stop();
    await port.delete("ORDERS");
  });

  it("moves and scales, and loses nothing that was acknowledged", async () => {
    const tour = [
      place(3, ["rg:2"], region(2)),
      place(3, ["xr:123"], ACROSS),
      place(3, ["rg:3"], region(3)),
      place(1, ["rg:3"], region(3)),
      place(3, ["rg:3"], region(3)),
      place(1, ["rg:3"], region(3)),
      place(3, ["rg:3"], region(3)),
      place(1, ["rg:1", "az:2"], ["rg1-az2"]),
      place(3, ["xr:123"], ACROSS),
    ];
    for (const stop of tour) {
      said = [];
      await sleep(500);
      outs = await updated(outs, await planned(stop, outs));
      await expectAt(stop, outs);
      console.info(said.join("; "));
    }
    await expectNothingLost(`${tour.length} changes under load`);
  }, 120_000);

  it(
    `survives ${KILLS} updates that are killed, and loses nothing that was acknowledged`,
    async () => {
      console.info(`moments of death: KILL_SEED=${SEED}`);
      const random = seededRandom(SEED);
      const places = [
        place(3, ["rg:1"], region(1)),
        place(3, ["rg:2"], region(2)),
        place(3, ["xr:123"], ACROSS),
        place(1, ["rg:3", "az:2"], ["rg3-az2"]),
        place(3, ["rg:3"], region(3)),
      ];
      const found = { "under way": 0, "not begun or done": 0, "taken back": 0 };
      let at = place(3, ["rg:1"], region(1));
      for (let kill = 0; kill < KILLS; kill++) {
        const others = places.filter(({ tags }) => tags.join() !== at.tags.join());
        const next = others[Math.floor(random() * others.length)] ?? at;
        await killedUpdate(outs, await planned(next, outs), random() * LATEST_KILL_MS);
        const isUnderWay =
          (await retry(() => port.info("ORDERS"), PACE)).cluster?.desired !== undefined;
        found[isUnderWay ? "under way" : "not begun or done"] += 1;
        // Whoever sees an up die may also think better of it.
        const isTakenBack = random() < 1 / 4;
        if (isTakenBack) found["taken back"] += 1;
        else at = next;
        outs = await updated(outs, await planned(at, outs));
        await expectAt(at, outs);
      }
      console.info(`at their deaths changes were: ${JSON.stringify(found)}`);
      expect(found["under way"]).toBeGreaterThan(0);
      const home = place(3, ["rg:2"], region(2));
      outs = await updated(outs, await planned(home, outs));
      await expectAt(home, outs);
      await expectNothingLost(`${KILLS} deaths under load`);
    },
    60_000 + KILLS * 6_000,
  );
});

/** Runs an update in a process of its own and kills it so many milliseconds after it began. */
async function killedUpdate(olds: StreamOutputs, news: StreamInputs, after: number): Promise<void> {
  const root = resolve(import.meta.dirname, "../..");
  const child = spawn(process.execPath, ["test/support/update-stream.ts"], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const exit = once(child, "exit");
  child.stdin.end(JSON.stringify({ connection: cluster.connection, olds, news }));
  await Promise.race([once(child.stdout, "data"), exit]);
  await sleep(after);
  child.kill("SIGKILL");
  await exit;
}
