import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { appearsIn } from "../support/secrets.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

const KEY = "key-Ibex-4711-key-Ibex-4711-key-Ibex";
const OTHER_KEY = "key-Kudu-0815-key-Kudu-0815-key-Kudu";
const [WORD, MESSAGES] = ["zebra-in-plain-text", 50];
const STREAMS = {
  ...ONE_REGION.streams,
  LONE: { subjects: ["lone.*"], replicas: 1 },
  PRESSED: { subjects: ["pressed.*"], replicas: 3, compression: "s2" },
};
const NAMES = ["ORDERS", "LONE", "PRESSED"];

/** What nodes have stored is encrypted when it is to be, stays readable to clients, and nobody reads the key. */
describe("encryption", () => {
  let stack: TestStack;
  const said: string[] = [];

  const configure = async (settings: object, key?: string) => {
    stack.configure({ ...ONE_REGION, streams: STREAMS, ...settings });
    if (key) await stack.expectPulumi("config", "set", "--secret", "encryptionKey", key);
  };
  const up = async (settings: object, key?: string) => {
    await configure(settings, key);
    said.push(await stack.expectPulumi("up", "--yes", "--skip-preview", "--diff"));
    await stack.expectPulumi("preview", "--expect-no-changes");
  };
  const refusal = async (settings: object, key?: string) => {
    await configure(settings, key);
    const { exitCode, text } = await stack.pulumi("preview");
    said.push(text);
    expect(exitCode).not.toBe(0);
    return text;
  };
  const messages = async () => {
    await using client = await NatsClient.connect(await stack.outputs());
    return await Promise.all(NAMES.map((name) => client.payloads(name)));
  };
  const publish = async (from: number) => {
    await using client = await NatsClient.connect(await stack.outputs());
    for (let count = from; count < from + MESSAGES; count++) {
      for (const name of NAMES) {
        await client.publish(`${name.toLowerCase()}.a`, `${WORD} ${count} ${"x".repeat(500)}`);
      }
    }
  };
  /** The containers of nodes, and whether the data of each has the word. */
  const wordIn = async () => {
    const nodes = ["rg1-az1", "rg1-az2", "rg1-az3"].map((node) => stack.containerOf(node));
    return await Promise.all(
      nodes.map(async (node) => {
        const { stdout } = await execa("docker", ["cp", `${node}:/data`, "-"], {
          encoding: "latin1",
        });
        return stdout.includes(WORD);
      }),
    );
  };

  beforeAll(async () => {
    stack = await TestStack.create({ ...ONE_REGION, streams: STREAMS });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await publish(0);
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("is switched on by restarts, with what is there", async () => {
    const before = await messages();
    expect(before.map((payloads) => payloads.length)).toEqual([MESSAGES, MESSAGES, MESSAGES]);
    expect(await wordIn()).toContain(true);
    await configure({ encryption: "aes" }, KEY);
    const preview = await stack.expectPulumi("preview", "--diff");
    said.push(preview);
    expect(preview).toMatch(/restart, one by one: .*encryption none → aes/);

    await up({ encryption: "aes" }, KEY);
    expect(await messages()).toEqual(before);
    expect(await wordIn()).toEqual([false, false, false]);
    await publish(MESSAGES);
    expect(await wordIn()).toEqual([false, false, false]);
  });

  test("takes another cipher", async () => {
    const before = await messages();
    await up({ encryption: "chachapoly" }, KEY);
    expect(await messages()).toEqual(before);
    expect(before[1]).toHaveLength(2 * MESSAGES);
  });

  test("takes no other key, and isn't switched off, as nothing could be read then", async () => {
    const before = await messages();
    expect(await refusal({ encryption: "chachapoly" }, OTHER_KEY)).toContain(
      "couldn't read it with another key",
    );
    expect(await refusal({})).toContain("couldn't read it without its key");
    expect(await refusal({ encryption: "chachapoly" })).toContain("encryptionKey: is missing");
    expect(await messages()).toEqual(before);
  });

  test("holds where a container is made anew", async () => {
    const before = await messages();
    await execa("docker", ["rm", "--force", stack.containerOf("rg1-az2")]);
    await configure({ encryption: "chachapoly" }, KEY);
    await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
    expect(await messages()).toEqual(before);
  });

  test("has a key that is nowhere to be read", async () => {
    const containers = ["rg1-az1", "rg1-az2", "rg1-az3"].map((node) => stack.containerOf(node));
    const { stdout } = await execa("docker", ["inspect", ...containers]);
    const logs = await Promise.all(
      containers.map((node) => execa("docker", ["logs", node], { all: true })),
    );
    const conf = await execa("docker", ["cp", `${containers[0]}:/etc/nats/nats.conf`, "-"]);
    const texts = [
      ...said,
      stdout,
      ...logs.map(({ all }) => all),
      conf.stdout,
      stack.stateText(),
      await stack.expectPulumi("stack", "export"),
      await stack.expectPulumi("preview", "--diff"),
    ];
    for (const text of texts) {
      expect(appearsIn(text, KEY)).toBe(false);
      expect(appearsIn(text, OTHER_KEY)).toBe(false);
    }
    expect(appearsIn(await stack.expectPulumi("stack", "export", "--show-secrets"), KEY)).toBe(
      true,
    );
  });
});
