import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  closeConnections,
  JetStreamUnavailable,
  openAgreement,
  openJetStream,
  StreamNotFound,
} from "../../live/jetstream/jetstream.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";

const PATIENCE = 1_000;
const HOSTS = ["rg2-az1", "rg2-az2", "rg2-az3"];
const placement = { tags: ["rg:2"] };

const STREAMS = [
  { name: "FILE", num_replicas: 3, placement },
  { name: "MEMORY", num_replicas: 3, storage: "memory", placement },
  { name: "SINGLE", num_replicas: 1, placement },
  { name: "EMPTY", num_replicas: 3, placement },
  { name: "FINAL", num_replicas: 3, placement, deny_delete: true },
  { name: "SEALED", num_replicas: 3, placement, sealed: true },
] as const;

describe("asking for an agreement that changes nothing", () => {
  let cluster: TestCluster;
  let agree: ReturnType<typeof openAgreement>;

  beforeAll(async () => {
    cluster = await startCluster();
    // Only those stay that the tests leave alone.
    const urls = cluster.connection.urls.filter(
      (_, index) => !HOSTS.includes(cluster.fleet.servers[index]?.name ?? ""),
    );
    const connection = { ...cluster.connection, urls };
    agree = openAgreement(connection, cluster.account, PATIENCE);
    const port = openJetStream(cluster.connection, cluster.account);
    for (const { sealed, ...config } of STREAMS.map((each) => ({ sealed: false, ...each }))) {
      const subjects = [config.name.toLowerCase()];
      await eventually(async () => {
        await port.create({ ...config, subjects });
        return true;
      });
      if (sealed) await port.update({ ...config, subjects, sealed });
    }
    await using client = await connectTo(cluster);
    for (let count = 0; count < 5; count++) {
      for (const subject of ["file", "memory", "single", "final"]) {
        await eventually(async () => Boolean(await client.request(subject, `${count}`)));
      }
    }
  });

  afterAll(async () => {
    await closeConnections();
    await cluster.stop();
  });

  const stateOf = async (stream: string) => {
    await using client = await connectTo(cluster);
    const request = JSON.stringify({ deleted_details: true });
    const reply = await client.request(`$JS.API.STREAM.INFO.${stream}`, request);
    return reply.json<{ state: object }>().state;
  };

  it.each(["FILE", "MEMORY", "SINGLE", "EMPTY"])("leaves %s as it was", async (stream) => {
    const before = await stateOf(stream);
    for (let count = 0; count < 20; count++) expect(await agree(stream)).toBe("agreed");
    expect(await stateOf(stream)).toEqual(before);
  });

  it.each(["FINAL", "SEALED"])("is barred by the config of %s", async (stream) => {
    expect(await agree(stream)).toBe("barred");
  });

  it("tells a stream that isn't there", async () => {
    await expect(agree("ABSENT")).rejects.toBeInstanceOf(StreamNotFound);
  });

  it("fails while no majority is there, and leaves the stream as it was", async () => {
    const port = openJetStream(cluster.connection, cluster.account);
    const { leader = "" } = (await port.info("FILE")).cluster ?? {};
    const before = await stateOf("FILE");
    // The leader stays, and takes itself for one for seconds yet.
    const stopped = HOSTS.filter((name) => name !== leader);
    await cluster.pause(...stopped);
    try {
      // What a server was at when it was stopped it may still do.
      await eventually(async () => (await agree("FILE").catch(() => "")) === "", 5_000);
      for (let count = 0; count < 3; count++) {
        await expect(agree("FILE")).rejects.toBeInstanceOf(JetStreamUnavailable);
      }
    } finally {
      cluster.resume(...stopped);
    }
    await eventually(async () => (await agree("FILE")) === "agreed");
    expect(await stateOf("FILE")).toEqual(before);
  });
});

async function connectTo({ connection }: TestCluster) {
  const { urls, user, password } = connection;
  const client = await connect({ servers: [...urls], user, pass: password });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
