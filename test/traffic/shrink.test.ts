import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, change, expectHosts, STREAMS } from "../support/change.ts";
import { eventually } from "../support/eventually.ts";
import { metaGroups } from "../support/meta-group.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const { EVENTS, ORDERS, SOLO } = STREAMS;
const THREE_ZONES = { memory: "256MiB", keepVolumes: true };
const FOUR_ZONES = { ...THREE_ZONES, availabilityZones: ["az1", "az2", "az3", "az4"] };

/** Comes in the `up` in which nodes leave that never know of it. */
const LATER = {
  accounts: {
    LATER: {
      users: { later: { nkey: "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF" } },
    },
  },
  streams: {
    ...STREAMS,
    LATER: {
      account: "LATER",
      subjects: ["later"],
      replicas: 3,
      placement: { tags: ["rg:1"] },
    },
  },
};

/** What a shrinking cluster has to move: streams on a zone that leaves, in the settings and not in them. */
describe("a cluster that shrinks", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create({
      ...FOUR_ZONES,
      streams: { EVENTS: at(EVENTS, "xr:412"), ORDERS, SOLO: at(SOLO, "rg:1", "az:4") },
    });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("refuses to leave behind what has nowhere to go, before anything changes", async () => {
    stack.configure({
      ...THREE_ZONES,
      streams: { EVENTS, ORDERS, SOLO: at(SOLO, "rg:1", "az:4") },
    });
    const planned = await stack.pulumi("preview");
    expect(planned.exitCode).not.toBe(0);
    expect(planned.text).toContain("streams.SOLO.placement");

    await using client = await NatsClient.connect(await stack.outputs());
    await client.create("STUCK", { subjects: ["stuck"], placement: { tags: ["rg:3", "az:4"] } });
    stack.configure({ ...THREE_ZONES, streams: STREAMS });
    const unplanned = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(unplanned.exitCode).not.toBe(0);
    expect(unplanned.text).toContain("The settings leave out rg1-az4, rg2-az4, rg3-az4");
    expect(unplanned.text).toContain("stream STUCK of account APP, which is not in the settings,");
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 12$/)]);
    await client.delete("STUCK");
  });

  test("says what leaves, and what moves along", async () => {
    await using client = await NatsClient.connect(await stack.outputs());
    const loose = { subjects: ["loose"], placement: { tags: ["rg:3", "az:4"] } };
    expect((await client.create("LOOSE", loose)).error).toBeUndefined();
    await client.publish("loose", "kept");
    await client.update("LOOSE", { name: "LOOSE", subjects: ["loose"], num_replicas: 1 });
    await expectHosts(stack, "LOOSE", ["rg3-az4"]);

    const preview = await stack.expectPulumi("preview");
    expect(preview).toContain("leave: rg1-az4, rg2-az4, rg3-az4: what they hold moves first");
    expect(preview).toContain("streams that are not in the settings move too: LOOSE (account APP)");
  });

  test("loses nothing, also while the others are replaced, and keeps volumes as told", async () => {
    await leadFromANodeThatLeaves();
    const what = "a zone less, two streams leave it, an account more, memory of the others";
    const { restarts } = await change(stack, traffic, what, {
      ...THREE_ZONES,
      ...LATER,
      memory: "384MiB",
    });
    expect(restarts).toBe(9);
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 9$/)]);
    await expectHosts(stack, "EVENTS", ["rg1-az1", "rg2-az2", "rg3-az3"]);
    expect((await stack.outputs()).streams.LATER).toMatchObject({
      account: "LATER",
      replicas: ["rg1-az1", "rg1-az2", "rg1-az3"],
    });
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("LOOSE")).toEqual(["kept"]);
    await client.delete("LOOSE");
    const kept = (await stack.leftovers()).filter((name) => name.includes("az4"));
    expect(kept.map((name) => name.replace(/^.*(?=rg)/, "")).sort()).toEqual([
      "rg1-az4-data",
      "rg2-az4-data",
      "rg3-az4-data",
    ]);
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("preview", "--refresh", "--expect-no-changes");
  });

  /** It makes the stream of the account that comes. */
  async function leadFromANodeThatLeaves(): Promise<void> {
    const outputs = await stack.outputs();
    await using system = await NatsClient.connect(outputs, "sys", PASSWORDS.systemPassword);
    await eventually(async () => {
      const [group = ""] = await metaGroups(stack);
      if (group.startsWith("rg3-az4 ")) return true;
      await system.moveMetaLeader("rg3-az4");
      return false;
    });
  }
});
