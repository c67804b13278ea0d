import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VARIABLES } from "../../lib/observed/questions.ts";
import { askAll } from "../support/monitors.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

/** Sums that no server has room for are refused by the preview, with what runs as well as with what is planned. */
describe("room", () => {
  let stack: TestStack;
  let client: NatsClient;

  const BIG = { subjects: ["big.*"], replicas: 3, maxBytes: "300MiB" };
  const settings = { regions: ["rg1"], maxFileStore: "500MiB", streams: { BIG } };
  const refusal = async (changes: object) => {
    stack.configure({ ...settings, ...changes });
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    return text;
  };

  beforeAll(async () => {
    stack = await TestStack.create();
    stack.configure(settings);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    client = await NatsClient.connect(await stack.outputs());
    await client.create("LOOSE", {
      subjects: ["loose"],
      num_replicas: 3,
      max_bytes: 150 * 2 ** 20,
    });
  });

  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("is not taken from streams that have it, those outside the settings among them", async () => {
    expect(await refusal({ maxFileStore: "400MiB" })).toContain(
      "maxFileStore 500MiB → 400MiB: rg1-az1, rg1-az2, rg1-az3, each has 450MiB reserved (BIG 300MiB, LOOSE 150MiB)",
    );
    const accounts = { APP: { jetStream: { maxFileStore: "1GiB" } } };
    expect(await refusal({ accounts })).toContain(
      "accounts.APP.jetStream.maxFileStore unlimited → 1GiB: the account has 1350MiB reserved (BIG 3 x 300MiB, LOOSE 3 x 150MiB)",
    );
  });

  test("is not promised to streams that come or grow", async () => {
    const NEW = { subjects: ["new.*"], maxBytes: "60MiB" };
    expect(await refusal({ streams: { BIG, NEW } })).toMatch(
      /stream NEW: needs 1 server with room for 60MiB in file, .*50MiB free on rg1-az1, rg1-az2, rg1-az3/,
    );
    expect(await refusal({ streams: { BIG: { ...BIG, maxBytes: "360MiB" } } })).toMatch(
      /stream BIG: it would reserve 60MiB more on each of its nodes, but rg1-az/,
    );
  });

  test("is made by a reload, for streams of the same update, and taken back by restarts", async () => {
    const MORE = { subjects: ["more.*"], maxBytes: "200MiB" };
    const streams = { BIG: { ...BIG, maxBytes: "700MiB" }, MORE };
    const made = await containers();
    stack.configure({ ...settings, maxFileStore: "1100MiB", streams });
    const grown = await stack.expectPulumi("up", "--yes", "--skip-preview");
    const nodes = "rg1-az1, rg1-az2, rg1-az3";
    expect(grown).toContain(`reload, no restart: ${nodes}: maxFileStore 500MiB → 1100MiB`);
    expect(await containers()).toEqual(made);
    expect(await stores()).toEqual([1100, 1100, 1100]);
    await stack.expectPulumi("preview", "--expect-no-changes");

    stack.configure({ ...settings, maxFileStore: "1100MiB" });
    await client.delete("MORE");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    stack.configure(settings);
    expect(await stack.expectPulumi("up", "--yes", "--skip-preview")).toMatch(
      /restart, one by one: .*maxFileStore 1100MiB → 500MiB/s,
    );
    expect(await stores()).toEqual([500, 500, 500]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  const containers = async () => {
    const filter = `--filter=name=nats-regions-${stack.name}-rg1`;
    const { stdout } = await execa("docker", ["ps", "--all", "--quiet", filter]);
    return stdout.split("\n").sort();
  };

  /** MiB that each node's server has for files. */
  const stores = async () => {
    const found = (await askAll(stack, VARIABLES)) as {
      jetstream: { config: { max_storage: number } };
    }[];
    return found.map(({ jetstream }) => jetstream.config.max_storage / 2 ** 20);
  };

  test("is found where there is enough of it", async () => {
    const NEW = { subjects: ["new.*"], maxBytes: "50MiB" };
    stack.configure({ ...settings, streams: { BIG, NEW } });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(await stack.expectPulumi("preview", "--expect-no-changes")).toContain("unchanged");
  });
});
