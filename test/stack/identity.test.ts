import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ONE_REGION, TestStack } from "../support/stack.ts";

/** What the backend's URL is, as far as anybody can tell one from another: the same for two states. */
const SCOPE = { NATS_REGIONS_STATE_ID: "one for both" };

/** A stack is the same stack whatever it is called, and wherever its state lies; two stacks never are. */
describe("a stack's identity", () => {
  let stack: TestStack;
  let folder: string;
  let containers: string;

  const listContainers = async () => {
    const filter = `--filter=name=nats-regions-${stack.name}`;
    const { stdout } = await execa("docker", ["ps", "--no-trunc", "--quiet", filter]);
    return stdout.split("\n").sort().join("\n");
  };
  const expectUnchanged = async () => {
    await stack.expectPulumi("preview", "--expect-no-changes");
    expect(await listContainers()).toBe(containers);
  };

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "nats-regions-elsewhere-"));
    stack = await TestStack.create(ONE_REGION);
    Object.assign(stack.env, SCOPE);
    await stack.killAt(/identity creating/, "up", "--yes", "--skip-preview");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    containers = await listContainers();
  });

  afterAll(async () => {
    await stack.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is of one state: another of that name is refused, and destroys nothing", async () => {
    const twin = await TestStack.create(ONE_REGION, stack.name);
    Object.assign(twin.env, SCOPE);
    try {
      const refusal = async () => {
        const { exitCode, text } = await twin.pulumi("up", "--yes", "--skip-preview");
        expect(exitCode).not.toBe(0);
        expect(text).toContain(`Somebody else's stack ${stack.name} is on this Docker engine`);
      };
      await refusal();
      // Nothing that was noted down lets the next one pass.
      await refusal();
      await twin.expectPulumi("destroy", "--yes", "--skip-preview");
    } finally {
      rmSync(twin.folder, { recursive: true, force: true });
    }
    expect(await listContainers()).toBe(containers);
  });

  test("stays with a stack that is renamed, with its names and ports", async () => {
    await stack.rename(`${stack.name}-blue`);
    await expectUnchanged();
  });

  test("stays with a state that moves, however one logs in", async () => {
    await stack.moveTo(`file://${folder}`);
    delete stack.env.NATS_REGIONS_STATE_ID;
    await stack.logIn(folder);
    await expectUnchanged();
  });

  test("is found by what the stack has made, where the state was made before it was noted down", async () => {
    const urn = `urn:pulumi:${stack.env.PULUMI_STACK}::nats-regions::command:local:Command::identity`;
    await stack.expectPulumi("state", "delete", urn, "--yes");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await expectUnchanged();
  });
});
