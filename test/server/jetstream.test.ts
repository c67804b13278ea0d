import { resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AccessDenied,
  ClusterUnreachable,
  closeConnections,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  openJetStream,
  StreamNotFound,
} from "../../live/jetstream/jetstream.ts";
import { eventually } from "../support/eventually.ts";
import { describeJetStreamPort } from "../support/jetstream-conformance.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(async () => {
  await closeConnections();
  await cluster.stop();
});

describeJetStreamPort("nats-server", () => openJetStream(cluster.connection, cluster.account));

describe("connecting", () => {
  const failureOf = async (connection: TestCluster["connection"], account = "APP") => {
    const start = Date.now();
    const error = await openJetStream(connection, account)
      .info("ANY")
      .catch((failure: unknown) => failure);
    return { error: error as Error, elapsed: Date.now() - start };
  };

  it("names user and account when access is denied, never the password", async () => {
    const { error } = await failureOf({ ...cluster.connection, password: "open sesame" });
    expect(error).toBeInstanceOf(AccessDenied);
    expect(error.message).toContain('user "user" of account APP');
    expect(JSON.stringify(error) + error.stack).not.toContain("sesame");
  });

  it("tells within seconds that nobody answers, and where it asked", async () => {
    const urls = ["nats://who:sesame@127.0.0.1:1", "nats://192.0.2.1:4222"];
    const { error, elapsed } = await failureOf({ ...cluster.connection, urls });
    expect(error).toBeInstanceOf(ClusterUnreachable);
    expect(error.message).toContain("nats://127.0.0.1:1, nats://192.0.2.1:4222");
    expect(error.message).not.toContain("sesame");
    expect(elapsed).toBeLessThan(7_000);
  });

  it("passes on what the server says about an account without JetStream", async () => {
    const bare = { ...cluster.connection, user: "bare", password: "bare" };
    const { error } = await failureOf(bare, "BARE");
    expect(error).toBeInstanceOf(JetStreamError);
    expect(error).toMatchObject({ code: 10039 });
  });

  it("lets a process end that has nothing else to do", async () => {
    const program = `
      import { openJetStream } from "./live/jetstream/jetstream.ts";
      const port = openJetStream(${JSON.stringify(cluster.connection)}, "APP");
      await Promise.allSettled([port.info("ABSENT"), port.info("ABSENT")]);
    `;
    const start = Date.now();
    await execa(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: resolve(import.meta.dirname, "../.."),
      env: { NODE_OPTIONS: "" },
    });
    expect(Date.now() - start).toBeLessThan(8_000);
  });

  it("reaches the cluster by the one server that answers", async () => {
    const urls = ["nats://127.0.0.1:1", ...cluster.connection.urls.slice(0, 1)];
    const { error } = await failureOf({ ...cluster.connection, urls });
    expect(error).toMatchObject({ code: 10059 });
  });
});

describe("with a server that hangs", () => {
  // A different order of addresses is a different connection, and a connection starts anywhere.
  const portsTo = (urls: readonly string[]) =>
    urls.map((_, turn) => {
      const turned = [...urls.slice(turn), ...urls.slice(0, turn)];
      return openJetStream({ ...cluster.connection, urls: turned }, cluster.account);
    });
  const answer = (port: JetStreamPort) =>
    eventually(async () => {
      await expect(port.info("ABSENT")).rejects.toBeInstanceOf(StreamNotFound);
      return true;
    }, 10_000);

  it("goes to another one, whether it was connected or not", async () => {
    const connected = portsTo(cluster.connection.urls.slice(0, 4));
    await Promise.all(connected.map(answer));
    await cluster.pause("rg1-az1");
    try {
      const later = portsTo(cluster.connection.urls.slice(0, 3));
      await Promise.all([...connected, ...later].map(answer));
    } finally {
      cluster.resume("rg1-az1");
    }
  });
});

describe("without a majority of the servers", () => {
  // Of a stream that really is absent, a meta leader that was left over may say so for ten seconds more.
  it("never says of a stream that exists that it is not found", async () => {
    const [first = ""] = cluster.connection.urls;
    const port = openJetStream({ ...cluster.connection, urls: [first] }, cluster.account);
    await eventually(async () => {
      await port.create({ name: "SURVIVOR", num_replicas: 3, placement: { tags: ["rg:3"] } });
      return true;
    });
    const stopped = cluster.fleet.servers.slice(2).map(({ name }) => name);
    await cluster.pause(...stopped);
    try {
      await expect(port.info("SURVIVOR")).rejects.toBeInstanceOf(JetStreamUnavailable);
      await expect(port.delete("SURVIVOR")).rejects.toBeInstanceOf(JetStreamUnavailable);
    } finally {
      cluster.resume(...stopped);
    }
  });
});
