import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../../cli/commands.ts";
import { stateFolder } from "../../../../cli/pulumi/environment.mjs";
import { project } from "../../../../cli/pulumi/project.mjs";
import { findStack } from "../../../../cli/stack/stack.ts";
import { prepareStack } from "../../../../cli/start/prepare.ts";
import { createLog } from "../../../../cli/terminal/steps.mjs";
import { FakeCommands } from "../../../support/fake-commands.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  // No CLI is pinned there, and nobody has logged in or selected a stack.
  vi.stubEnv("PULUMI_HOME", folder);
  vi.stubEnv("PULUMI_CREDENTIALS_PATH", folder);
  for (const name of ["PULUMI_STACK", "PULUMI_ACCESS_TOKEN", "PULUMI_BACKEND_URL"]) {
    vi.stubEnv(name, "");
  }
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("a start in a backend of the user's", () => {
  const secret = { value: "x", secret: true };

  async function prepare(stacks: readonly object[], named?: string): Promise<string> {
    vi.stubEnv("PULUMI_BACKEND_URL", pathToFileURL(folder).href);
    using pulumi = new FakeCommands("pulumi");
    pulumi.answer("pulumi", "stack", JSON.stringify(stacks));
    const config = { "nats-regions:password": secret, "nats-regions:systemPassword": secret };
    pulumi.answer("pulumi", "config", JSON.stringify(config));
    let said = "";
    const stream = new Writable({
      write(chunk, _, done) {
        said += chunk;
        done();
      },
    });
    await prepareStack(named, createLog({ stream, env: {} }));
    return said;
  }

  test("selects the stack where none is, so that `npx pulumi` doesn't ask for one", async () => {
    expect(await prepare([])).toMatch(/Stack dev +created, selected in/);
    expect(await prepare([{ name: "dev" }])).toMatch(/Stack dev +selected in/);
  });

  test("leaves a selection as it is", async () => {
    const stacks = [{ name: "dev" }, { name: "blue", current: true }];
    expect(await prepare(stacks)).not.toContain("selected");
    expect(await prepare(stacks, "dev")).not.toContain("selected");
    expect(await prepare([{ name: "dev" }], "dev")).not.toContain("selected");
  });
});

describe("a stack that is remembered, and gone with a former clone", () => {
  beforeEach(() => {
    const digest = createHash("sha1").update(path.join(project, "Pulumi.yaml")).digest("hex");
    const selected = { stacks: { [pathToFileURL(stateFolder(project)).href]: "of-former-clone" } };
    mkdirSync(path.join(folder, "workspaces"));
    const file = path.join(folder, "workspaces", `nats-regions-${digest}-workspace.json`);
    writeFileSync(file, JSON.stringify(selected));
  });

  test("is named with the way out by scripts, as by `npx pulumi`", async () => {
    const wayOut = /stack of-former-clone was selected.*npx pulumi stack unselect/s;
    await expect(findStack()).rejects.toThrow(wayOut);
    await expect(runCommand(["plan"])).rejects.toThrow(wayOut);
  });
});
