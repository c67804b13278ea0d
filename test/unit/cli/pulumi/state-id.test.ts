import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pulumiEnvironment, stateId } from "../../../../cli/pulumi/project.mjs";

const WRAPPER = path.resolve(import.meta.dirname, "../../../../cli/pulumi/project.mjs");

describe("stateId", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("stays with a state that is moved", () => {
    const [before, after] = [path.join(folder, "before"), path.join(folder, "after")];
    const id = stateId(before);
    expect(id).toMatch(/^[\w-]{43}$/);
    renameSync(before, after);
    expect(stateId(after)).toBe(id);
  });

  test("differs from state to state", () => {
    expect(stateId(path.join(folder, "a"))).not.toBe(stateId(path.join(folder, "b")));
  });

  test("is the same for commands that come to a new state at once", async () => {
    const script = `
      import { stateId } from ${JSON.stringify(WRAPPER)};
      process.stdout.write(stateId(${JSON.stringify(folder)}));`;
    const said = await Promise.all(
      [1, 2, 3].map(() => execa(process.execPath, ["--input-type=module", "--eval", script])),
    );
    expect(new Set(said.map(({ stdout }) => stdout))).toEqual(new Set([stateId(folder)]));
    expect(readdirSync(folder)).toEqual(["id"]);
  });

  test("is not for a backend that the user has chosen", () => {
    const { env } = pulumiEnvironment(["up"], { PULUMI_BACKEND_URL: "s3://state" });
    expect(env).not.toHaveProperty("NATS_REGIONS_STATE_ID");
  });
});
