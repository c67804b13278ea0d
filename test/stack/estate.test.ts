import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PASSWORD_PLACEHOLDER } from "../../lib/accounts/hidden-passwords.ts";
import { plannedHosts } from "../../lib/placement/placement.ts";
import { nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { metaGroups } from "../support/meta-group.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

const ESTATE = {
  regions: { us: ["a", "b", "c"], eu: ["x", "y"], tie: ["t"] },
  witnesses: ["tie"],
  serverTags: { "us-a": ["ssd"], "eu-x": ["ssd"] },
  memory: "256MiB",
  streams: {
    SOLID: { subjects: ["solid.*"], replicas: 2, placement: { tags: ["ssd"] } },
    NEAR: { subjects: ["near.*"], replicas: 3, placement: { across: { us: 2, eu: 1 } } },
    WIDE: { subjects: ["wide.*"], replicas: 5 },
  },
};
/** A zone more, and a witness among the nodes that hold streams. */
const GROWN = {
  ...ESTATE,
  regions: { ...ESTATE.regions, eu: ["x", "y", "z"] },
  witnesses: ["tie", "us-c"],
};
const SENT = Array.from({ length: 20 }, (_, index) => `message ${index}`);

/** Regions that have other zones, tags of one's own, and nodes that only vote. */
describe("an estate of regions that aren't alike", () => {
  let stack: TestStack;
  /** Without gates between zones: with six, of each `up` these take most of the time. */
  const hasty = { rollout: "all" };
  const up = (settings: object) => {
    stack.configure(settings);
    return stack.expectPulumi("up", "--yes", "--skip-preview");
  };

  beforeAll(async () => {
    stack = await TestStack.create(ESTATE);
    await up(ESTATE);
    await using client = await NatsClient.connect(await stack.outputs());
    for (const payload of SENT) await client.publish("wide.new", payload);
    await client.create("LOOSE", { subjects: ["loose"], num_replicas: 5 });
  });

  afterAll(() => stack.remove());

  /** The plan for this stack, which the command `npm run plan` would show. */
  const planOf = (settings: object) =>
    planCluster(
      parseSettings(
        { ...settings, password: PASSWORD_PLACEHOLDER },
        { project: "nats-regions", stack: stack.name },
      ),
    );

  /** Checks that nodes and replicas are where the plan has them, and that witnesses have none. */
  async function expectAsPlanned(settings: object): Promise<void> {
    const plan = planOf(settings);
    const outputs = await stack.outputs();
    const urls = nodesOf(plan).map(({ name, clientUrl }) => [name, clientUrl]);
    expect(outputs.clientUrls).toEqual(Object.fromEntries(urls));
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(` of ${urls.length}$`)]);
    await using client = await NatsClient.connect(outputs);
    for (const { name, placement, config } of plan.streams) {
      const hosts = await client.hosts(name);
      expect(hosts).toHaveLength(config.num_replicas ?? 1);
      expect(plannedHosts(placement)).toEqual(expect.arrayContaining(hosts));
    }
    expect(await client.hosts("NEAR")).toEqual(["eu-x", "us-a", "us-b"]);
  }

  const started = async () => {
    const containers = nodesOf(planOf(ESTATE)).map(({ name }) => stack.containerOf(name));
    const format = "{{.Id}} {{.State.StartedAt}}";
    return (await execa("docker", ["inspect", "--format", format, ...containers])).stdout;
  };

  test("is brought up as planned", async () => {
    await expectAsPlanned(ESTATE);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("grows by a zone, and has another witness, without a restart", async () => {
    const before = await started();
    const text = await up(GROWN);
    expect(text).toContain("new: eu-z");
    expect(text).toMatch(/reload, no restart: us-c: tags \+ !jetstream/);
    expect(text).toMatch(/stream LOOSE of account APP, .* stays on us-c, though witnesses/);
    expect(await started()).toBe(before);
    await expectAsPlanned(GROWN);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("shrinks again, with all messages", async () => {
    const text = await up({ ...ESTATE, ...hasty });
    expect(text).toContain("leave: eu-z");
    await expectAsPlanned(ESTATE);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("WIDE")).toEqual(SENT);
  });

  test("is destroyed without leftovers", async () => {
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });
});
