import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { homeWithoutLogs } from "../../../../cli/pulumi/unlogged-home.mjs";

describe("homeWithoutLogs", () => {
  let folder: string;
  let home: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
    home = path.join(folder, "home");
    mkdirSync(path.join(home, "logs"), { recursive: true });
    writeFileSync(path.join(home, "credentials.json"), "{}");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const here = (backend?: string) => ({ backend, home, folder: path.join(folder, "cache") });

  test("has what the home has, and what comes into it later, but no folder for logs", () => {
    const { PULUMI_HOME: instead = "" } = homeWithoutLogs("preview", here("file:///state"));
    expect(readFileSync(path.join(instead, "credentials.json"), "utf8")).toBe("{}");
    writeFileSync(path.join(instead, "plugins", "added"), "");
    expect(readdirSync(path.join(home, "plugins"))).toEqual(["added"]);
    expect(() => mkdirSync(path.join(instead, "logs"), { recursive: true })).toThrow();
  });

  test("is the same one the next time, with what the home has by then", () => {
    const first = homeWithoutLogs("up", here("file:///state"));
    writeFileSync(path.join(home, "config.json"), "[]");
    expect(homeWithoutLogs("up", here("file:///state"))).toEqual(first);
    expect(readFileSync(path.join(first.PULUMI_HOME ?? "", "config.json"), "utf8")).toBe("[]");
  });

  test.each([
    ["logs", "file:///state"],
    ["preview", "s3://state"],
    ["preview", undefined],
  ])("isn't there for %s with %s", (command, backend) => {
    expect(homeWithoutLogs(command, here(backend))).toEqual({});
  });

  test("isn't there where it can't be made", () => {
    writeFileSync(path.join(folder, "cache"), "");
    expect(homeWithoutLogs("preview", here("file:///state"))).toEqual({});
  });
});
