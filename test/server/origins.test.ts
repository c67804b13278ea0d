import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { JetStreamPort } from "../../live/jetstream/jetstream.ts";
import { Handovers } from "../../providers/streams/handovers.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import type { TestCluster } from "../support/nats-cluster.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

let opened: OpenCluster;
let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;
let said: string[] = [];

beforeAll(async () => {
  opened = await openCluster();
  ({ cluster, port, client } = opened);
});

afterAll(() => opened.close());

afterEach(async () => {
  for (const stream of await port.names()) await port.delete(stream);
  said = [];
});

const lifecycle = streamLifecycle(() => port, {
  contact: 3_000,
  handovers: new Handovers(),
  say: (line) => void said.push(line),
});

function program(config: StreamConfig) {
  const { account, fleet } = cluster;
  return { stream: config.name, account, config, policy: {}, fleet };
}

async function checked(config: StreamConfig, olds: Partial<StreamInputs> = {}) {
  const { inputs, failures = [] } = await lifecycle.check(olds, program(config));
  return { inputs: inputs as StreamInputs, reasons: failures.map(({ reason }) => reason) };
}

const SRC: StreamConfig = { name: "SRC", subjects: ["src.>"], num_replicas: 3 };
const copyOf = (name: string, changes: Partial<NonNullable<StreamConfig["mirror"]>> = {}) => ({
  name: "COPY",
  num_replicas: 3,
  mirror: { name, ...changes },
});

describe("a stream that copies", () => {
  it("is refused where its origin isn't there, or can't have what it asks for", async () => {
    expect((await checked(copyOf("SCR"))).reasons).toEqual([
      expect.stringMatching(/^mirror: there is no stream SCR in account APP/),
    ]);
    await port.create(SRC);
    const { reasons } = await checked(copyOf("SRC", { filter_subject: "scr.>" }));
    expect(reasons).toEqual([
      expect.stringMatching(/no message that SRC takes \(src.>\) matches "scr.>"; correct/),
    ]);
    expect((await checked(copyOf("SRC"))).reasons).toEqual([]);
  });

  it("is ready once it has heard of its origin; else it is said why", async () => {
    await port.create(SRC);
    await lifecycle.create((await checked(copyOf("SRC"))).inputs);
    expect(said).toEqual([]);
    expect((await port.info("COPY")).mirror?.active).toBeGreaterThanOrEqual(0);
  });

  it("is made anew where its origin was wrong and nothing has come of it, with nothing to be allowed", async () => {
    await port.create(SRC);
    await port.create({ ...SRC, name: "SCR", subjects: ["scr.>"] });
    const wrong = (await checked(copyOf("SCR"))).inputs;
    await port.delete("SCR");
    const { outs } = await lifecycle.create(wrong);
    expect(said).toEqual([expect.stringContaining("stream COPY: it has never heard of SCR")]);
    said = [];
    await lifecycle.read("COPY", outs);
    expect(said).toEqual([expect.stringContaining("stream COPY: it has never heard of SCR")]);
    said = [];
    await client.request("src.1", "", { timeout: 5_000 });
    const right = await checked(copyOf("SRC"), outs);
    expect(right.reasons).toEqual([]);
    const updated = await lifecycle.update("COPY", outs, right.inputs);
    expect(said).toEqual([]);
    await eventually(async () => (await port.info("COPY")).state.messages === 1);
    // What it has got is not to be let go of for nothing.
    const { reasons } = await checked(copyOf("OTHER"), updated.outs as StreamOutputs);
    expect(reasons.join()).toContain("it can be removed, not set or changed");
  });
});
