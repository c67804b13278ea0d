import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import pc from "picocolors";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommand } from "../../../../cli/commands.ts";
import { widthOf } from "../../../../cli/layout/text.ts";
import type { PlanReport } from "../../../../cli/plan/plan-report.ts";
import { renderPlan } from "../../../../cli/plan/plan-view.ts";
import { project } from "../../../../cli/pulumi/project.mjs";
import { SEED_SETTINGS } from "../../../support/stack.ts";

/** YAML takes JSON as it is. */
const SEED = JSON.stringify({ clientPort: 4222, monitorPort: 8222, ...SEED_SETTINGS });

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plan-"));
  // Nobody has selected a stack there.
  vi.stubEnv("PULUMI_HOME", folder);
  vi.stubEnv("PULUMI_STACK", "");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

const run = (args: readonly string[]) => runCommand(["plan", ...args]);

async function plan(...args: string[]): Promise<{ status: number; report: PlanReport }> {
  const log = vi.spyOn(console, "log").mockReturnValue();
  const status = await run([...args, "--json"]);
  return { status, report: JSON.parse(`${log.mock.lastCall?.[0]}`) };
}

/** As people call it, from any folder. */
function planInShell(...args: string[]) {
  const env = { NO_COLOR: "1", FORCE_COLOR: "", PULUMI_HOME: folder, PULUMI_STACK: "dev" };
  const bootstrap = path.join(project, "cli", "bootstrap.mjs");
  return execa(process.execPath, [bootstrap, "plan", ...args], { cwd: folder, env, reject: false });
}

const planText = async (text: string, name = "settings.yaml") => plan(await write(name, text));

const render = (report: PlanReport, width = 80) =>
  `\n${renderPlan({ ...report, source: path.basename(report.source) }, { width, colors: pc.createColors(false) })}\n`;

const nodesIn = ({ regions }: PlanReport) =>
  regions.flatMap(({ zones }) => zones.flatMap(({ nodes }) => nodes));

describe("npm run plan", () => {
  test("shows the stack that is selected", async () => {
    const { stdout } = await planInShell();
    // People edit that file; what is in it is not for a test to know.
    expect(stdout).toMatch(/stack dev/);
    expect(stdout).toMatch(/from Pulumi\.dev\.yaml; no server was asked, and nothing changed/);
  });

  test("shows the seed as it would be, without Pulumi", async () => {
    const { stdout } = await planInShell(await write("seed.yaml", SEED));
    const text = stdout.replace(`${folder}/`, "");
    expect(`\n${text}\n`).toMatchInlineSnapshot(`
      "
      ✓ stack dev · 9 nodes: 3 regions x 3 zones · cluster c1 · nats:2.15.2
        from seed.yaml; no server was asked, and nothing changed

      region  zone  node     client  monitor  tags
      rg1     az1   rg1-az1    4222     8222  rg:1 az:1 xr:123 xr:132
              az2   rg1-az2    4223     8223  rg:1 az:2 xr:213 xr:231
              az3   rg1-az3    4224     8224  rg:1 az:3 xr:312 xr:321
      rg2     az1   rg2-az1    4225     8225  rg:2 az:1 xr:213 xr:312
              az2   rg2-az2    4226     8226  rg:2 az:2 xr:123 xr:321
              az3   rg2-az3    4227     8227  rg:2 az:3 xr:132 xr:231
      rg3     az1   rg3-az1    4228     8228  rg:3 az:1 xr:231 xr:321
              az2   rg3-az2    4229     8229  rg:3 az:2 xr:132 xr:312
              az3   rg3-az3    4230     8230  rg:3 az:3 xr:123 xr:213

      Room
        file    1GiB free on each node
        memory  64MiB free on each node

      Meta group
        servers      9, of which 5 must be up
        losses       survives any node, zone or region

      ✓ EVENTS  3 replicas, xr:123
        placed on    rg1-az1, rg2-az2, rg3-az3
        leader       any of them
        losses       survives any node, zone or region
        ! only rg1-az1, rg2-az2, rg3-az3 fit, none to spare: while one is down its
          replica has nowhere else to go

      ✓ ORDERS  3 replicas, rg:2
        placed on    rg2-az1, rg2-az2, rg2-az3
        leader       any of them
        losses       survives any node or zone; lost with region rg2
        ! only rg2-az1, rg2-az2, rg2-az3 fit, none to spare: while one is down its
          replica has nowhere else to go
      "
    `);
  });

  test("says what a power cut may take", async () => {
    const { status, report } = await planText("syncInterval: 1s");
    expect(status).toBe(0);
    expect(report.notices).toHaveLength(1);
    expect(render(report)).toContain(
      "! syncInterval 1s: where all replicas of a stream lose power",
    );
  });

  test("says which streams have no place, and shows the others", async () => {
    const { status, report } = await planText(`
      clientPort: 4222
      streams:
        EVENTS: { subjects: [events.*], replicas: 3, placement: { tags: ["xr:123"] } }
        WIDE: { subjects: [wide.*], replicas: 5 }
        AUDIT: { subjects: [audit.>], placement: { region: rg2 }, leader: { zone: az1 } }
        LED: { subjects: [audit.b], replicas: 3, placement: { region: rg1 }, leader: { region: rg2 } }
    `);
    expect(status).toBe(1);
    const text = render(report);
    expect(text.slice(text.indexOf("✓ EVENTS"))).toMatchInlineSnapshot(`
      "✓ EVENTS  3 replicas, xr:123
        placed on    rg1-az1, rg2-az2, rg3-az3
        leader       any of them
        losses       survives any node, zone or region
        ! only rg1-az1, rg2-az2, rg3-az3 fit, none to spare: while one is down its
          replica has nowhere else to go

      ✗ WIDE  5 replicas
        impossible   needs 5 servers that differ in their "az:" tag, but the 9 that
                     fit share the 3 tags az:1, az:2, az:3
        server says  no suitable peers for placement, server tag not unique
        nearest      rg2-az1 (az:1 like rg1-az1), rg2-az2 (az:2 like rg1-az2), rg2-az3
                     (az:3 like rg1-az3)

      ✓ AUDIT  1 replica, rg:2
        chosen from  rg2-az1, rg2-az2, rg2-az3
        leader       rg2-az1
        losses       lost with region rg2; may be lost with node rg2-az1, rg2-az2 or
                     rg2-az3

      ✗ LED  3 replicas, rg:1
        placed on    rg1-az1, rg1-az2, rg1-az3
        losses       survives any node or zone; lost with region rg1
        ! only rg1-az1, rg1-az2, rg1-az3 fit, none to spare: while one is down its
          replica has nowhere else to go
        ✗ streams.LED.leader: none of its replicas is in region rg2; its replicas are
          on rg1-az1, rg1-az2, rg1-az3

      ✗ streams.LED.subjects: "audit.b" overlaps with "audit.>" of stream AUDIT; a
        subject belongs to one stream; narrow one of them
      "
    `);
  });

  test("knows of encrypted passwords that they are there, and needs no more", async () => {
    const { status, report } = await planText(
      `
      encryptionsalt: v1:x
      config:
        nats-regions:password: { secure: v1:a }
        nats-regions:accounts:
          BILLING:
            users:
              writer: { password: { secure: v1:b } }
        nats-regions:streams:
          A: { subjects: [a.*], account: BILLING }
          B: { subjects: [a.*] }
      `,
      "Pulumi.blue.yaml",
    );
    expect(report).toMatchObject({ unread: [], problems: [] });
    expect(status).toBe(0);
    expect(render(report)).toContain("✓ A  1 replica, account BILLING");
  });

  test("takes a stack's file, whose name is the stack's", async () => {
    const { report } = await planText(
      `
      encryptionsalt: v1:x
      config:
        docker:host: elsewhere
        nats-regions:cluster: 12
        nats-regions:password: { secure: v1:a }
        nats-regions:user: { secure: v1:b }
        nats-regions:streams:
          A: { subjects: [a.*], description: { secure: v1:c } }
      `,
      "Pulumi.blue.yaml",
    );
    expect(report).toMatchObject({
      stack: "blue",
      cluster: "12",
      unread: ["nats-regions:user", "nats-regions:streams.A.description"],
      streams: [{ name: "A", placement: { kind: "choice" } }],
    });
    expect(render(report)).toContain("nats-regions:user can't be read without Pulumi");
    const dev = await plan(path.join(folder, "Pulumi.blue.yaml"), "--stack", "acme/dev");
    expect(dev.report.stack).toBe("dev");
    expect(nodesIn(dev.report)[0]?.clientPort).not.toBe(nodesIn(report)[0]?.clientPort);
  });

  test("takes a plain map, passwords or none, in YAML or JSON", async () => {
    const yaml = await planText("regions: [us, eu]\nclientPort: 5000\npassword: x");
    const json = await planText('{"regions": ["us", "eu"], "clientPort": 5000}', "settings.json");
    expect(yaml.report).toEqual({ ...json.report, source: yaml.report.source });
    expect(nodesIn(yaml.report).map(({ name }) => name)).toContain("eu-az3");
    expect(JSON.stringify(yaml.report)).not.toContain("password");
  });

  test("takes the defaults where there is nothing", async () => {
    const { status, report } = await planText("");
    expect(status).toBe(0);
    expect(nodesIn(report)).toHaveLength(9);
    expect(render(report)).toContain("There are no streams.");
  });

  test("plans five regions of two zones", async () => {
    const { status, report } = await planText(`
      regions: [rg1, rg2, rg3, rg4, rg5]
      availabilityZones: [az1, az2]
      streams:
        PAIR: { subjects: [a], replicas: 2, placement: { across: { rg1: az1, rg4: az2 } } }
        THREE: { subjects: [b], replicas: 3 }
    `);
    expect(status).toBe(1);
    expect(report.metaGroup).toMatchObject({
      servers: 10,
      majority: 6,
      survivability: {
        summary: "survives any node, zone or region; lost with any zone in all regions at once",
      },
    });
    const [pair, three] = report.streams;
    expect(pair?.placement).toEqual({ kind: "exact", hosts: ["rg1-az1", "rg4-az2"] });
    expect(pair?.warnings.join()).toContain("survive no more failures than 1");
    expect(three?.placement).toMatchObject({ kind: "impossible" });
    expect(three).not.toHaveProperty("survivability");
  });

  test("plans regions that aren't alike, with a witness", async () => {
    const { status, report } = await planText(`
      regions: { us: [a, b], eu: [x, y], tie: [t] }
      witnesses: [tie]
      streams:
        WIDE: { subjects: [a], replicas: 3 }
    `);
    expect(status).toBe(0);
    expect(report.metaGroup).toMatchObject({
      servers: 5,
      witnesses: ["tie-t"],
      survivability: { summary: "survives any node, zone or region" },
    });
    const shown = render(report);
    expect(shown).toContain("5 nodes: 3 regions, eu 2 zones, tie 1 zone, us 2 zones");
    expect(shown).toContain("tie-t: vote, and take no streams");
    expect(shown).toMatch(/tie-t .* rg:tie az:t !jetstream/);
  });

  test("plans without a unique tag, and two nodes in a zone", async () => {
    const { report } = await planText(`
      uniqueTag: none
      nodesPerZone: 2
      streams:
        WIDE: { subjects: [a], replicas: 5 }
        HOME: { subjects: [b], replicas: 3, placement: { region: rg1 } }
    `);
    expect(report.uniqueTag).toBe("");
    expect(report.streams.map(({ survivability }) => survivability?.summary)).toEqual([
      "survives any node or zone; may be lost with any zone in all regions at once, or any region",
      "survives any node; lost with region rg1; may be lost with zone rg1-az1, rg1-az2 or rg1-az3",
    ]);
    expect(render(report)).toContain("while a host is down, another can take its replica");
  });

  test("stays within the terminal", async () => {
    const { report } = await planText(SEED);
    for (const width of [60, 80, 120]) {
      const lines = render(report, width).split("\n");
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
    }
  });
});

describe("refuses", () => {
  test.each([
    [
      "regions: [rg1\nstreams: 3",
      /^.*settings\.yaml can't be read as YAML: .*at line 2, column 1:\n/,
    ],
    ["regions: [rg1]\nregions: [rg2]", /Map keys must be unique at line 2, column 1/],
    [
      "streams:\n  A: { account: APP }\n  A: { account: BILLING }",
      /unique at line 3[\s\S]*\nA map has each name once\. Streams of the same name in two accounts/,
    ],
    ["regions: *rest", /settings\.yaml can't be read as YAML: Unresolved alias.*rest/],
    ["- rg1", /settings\.yaml is a list, but should be a map of settings, e\.g\. `regions:/],
    ["config: dev", /settings\.yaml: config is "dev", but should be a map/],
    [
      "regoins: [rg1]",
      /settings\.yaml: 1 problem in the settings.*\n {2}regoins: there is no such/,
    ],
    ["memory: 1 elephant", /settings\.yaml: 1 problem.*\n {2}memory: "1 elephant" is not a size/],
  ])("%j", async (text, message) => {
    await expect(planText(text)).rejects.toThrow(message);
  });

  test("a file that isn't there, or is a folder", async () => {
    const file = path.join(folder, "none.yaml");
    await expect(run([file])).rejects.toThrow(`There is no file ${file}.`);
    await expect(run([folder])).rejects.toThrow(`Can't read ${folder}: EISDIR`);
  });

  test("a stack without settings, naming those that have some", async () => {
    await expect(run(["--stack", "staging"])).rejects.toThrow(
      "Stack staging has no settings here: there is no Pulumi.staging.yaml. Those that have: dev",
    );
  });

  test("the selected stack, if it is that which has none", async () => {
    vi.stubEnv("PULUMI_STACK", "acme/nats-regions/blue");
    await expect(run([])).rejects.toThrow("there is no Pulumi.blue.yaml");
  });

  test("two files, and options that there aren't", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    await expect(run(["a.yaml", "b.yaml"])).rejects.toThrow("but got 2: a.yaml, b.yaml.");
    await expect(run(["--stacks"])).rejects.toThrow("(Did you mean --stack?)");
  });
});

test("names the consumers of a stream, and what is special about them", async () => {
  const consumers = {
    worker: {},
    audit: { replicas: 1, deliverSubject: "audited" },
  };
  const { report } = await planText(
    JSON.stringify({
      streams: { ORDERS: { subjects: ["orders.*"], replicas: 3, consumers }, OTHER: {} },
    }),
  );
  expect(report.streams.map((stream) => stream.consumers)).toEqual([
    [
      { name: "worker", replicas: 3 },
      { name: "audit", replicas: 1, deliverSubject: "audited" },
    ],
    undefined,
  ]);
  const lines = render(report).split("\n");
  expect(lines.filter((line) => line.includes("consumers"))).toEqual([
    "  consumers    worker, audit (to audited, 1 replica)",
  ]);
});
