import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { decodeSettings, parseSettings } from "../../../lib/plan/settings.ts";
import { SETTINGS_FILES } from "../../../tools/settings/settings-files.ts";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../../..", file), "utf8");

test.each(SETTINGS_FILES)("$file is as `npm run settings` writes it", ({ file, render }) => {
  const text = read(file);
  expect(render(text)).toBe(text);
});

test("the defaults that Pulumi.yaml declares are those of the table", () => {
  const identity = { project: "nats-regions", stack: "dev" };
  const { config } = declarations.parse(parse(read("Pulumi.yaml")));
  const texts = Object.entries(config).flatMap(([name, { default: value }]) =>
    value === undefined
      ? []
      : [[`nats-regions:${name}`, typeof value === "string" ? value : JSON.stringify(value)]],
  );
  const raw = decodeSettings(Object.fromEntries(texts), "nats-regions");
  expect(parseSettings(raw, identity)).toEqual(parseSettings({}, identity));
});

const declarations = z.object({
  config: z.record(z.string(), z.object({ default: z.unknown().optional() })),
});

/** What an editor checks, by another reader of JSON schemas. */
describe("the JSON schema for editors", () => {
  const schema = z.fromJSONSchema(JSON.parse(read("settings.schema.json")));
  const accepts = (settings: object) => {
    const named = Object.entries(settings).map(([name, value]) => [`nats-regions:${name}`, value]);
    return schema.safeParse({ config: Object.fromEntries(named) }).success;
  };

  test("takes the settings of dev, whose file names it", () => {
    const text = read("Pulumi.dev.yaml");
    expect(text).toMatch(/^# yaml-language-server: \$schema=settings\.schema\.json\n/);
    expect(schema.safeParse(parse(text))).toMatchObject({ success: true });
  });

  test.each([
    { memory: 268_435_456, syncInterval: "1s", monitorAddress: "" },
    { tlsFiles: { ca: "ca.pem" }, certificateNames: ["nats.example.com"] },
    { systemPassword: { secure: "v1:x" }, password: "plain" },
    {
      accounts: {
        A: {
          users: { u: { password: { secure: "v1:x" } }, v: { nkey: "U" } },
          jetStream: { maxFileStore: "1GiB" },
          exports: [{ stream: "a.>" }],
        },
      },
    },
    {
      streams: {
        S: { maxAge: "7d", placement: { across: { rg1: "az1" } }, mirror: { name: "O" } },
      },
    },
    { regions: { us: ["a", "b"], eu: ["x"] }, nodesPerZone: { us: 2 } },
    { regions: ["us"], availabilityZones: { us: ["a", "b"] }, nodesPerZone: 2 },
  ])("takes %j", (settings) => {
    expect(accepts(settings)).toBe(true);
  });

  test.each([
    { memoyr: "256MiB" },
    { memory: true },
    { regions: ["Rg1"] },
    { rollout: "zones" },
    { regions: { Us: ["a"] } },
    { regions: { us: "a" } },
    { nodesPerZone: 9 },
    { nodesPerZone: { us: 9 } },
    { bindAddress: "localhost" },
    { cluster: "a b" },
    { accounts: { A: { usres: {} } } },
    { accounts: { A: { limits: { connections: 0 } } } },
    { streams: { S: { retantion: "limits" } } },
    { streams: { S: { retention: "limit" } } },
    { streams: { S: { replicas: 7 } } },
    { streams: { S: { allowDirect: "yes" } } },
  ])("refuses %j", (settings) => {
    expect(accepts(settings)).toBe(false);
  });

  test("leaves settings of other namespaces alone", () => {
    expect(schema.safeParse({ config: { "docker:host": "unix:///x" } }).success).toBe(true);
  });
});
