import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { LibraryProgram, type Program } from "../support/library.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { appearsIn } from "../support/secrets.ts";
import { Traffic } from "../support/traffic.ts";

/** Three nodes, and two streams: one among the cluster's settings, one beside it, in a zone. */
const programText = (zone: string, more = "") => `
import * as pulumi from "@pulumi/pulumi";
import { NatsCluster, Stream } from "nats-regions";

const config = new pulumi.Config();
const cluster = new NatsCluster("c1", {
  regions: ["rg1"],
  systemPassword: config.requireSecret("systemPassword"),
  password: config.requireSecret("password"),
  streams: { EVENTS: { subjects: ["events.*"], replicas: 3 } },
});
new Stream("ORDERS", { cluster, subjects: ["orders.*"], replicas: 1, placement: { tags: ["${zone}"] } });

export const { clientUrls, monitoringUrls, placements } = cluster;
${more}
`;

/** Another cluster, with a stream that is called as one of the first. */
const secondCluster = (fate = "") => `
const second = new NatsCluster("c2", {
  regions: ["rg1"],
  systemPassword: config.requireSecret("systemPassword"),
  password: config.requireSecret("password"),
});
new Stream("c2-ORDERS", { cluster: second, stream: "ORDERS", subjects: ["orders.*"]${fate} });

export const secondUrls = second.clientUrls;
`;

/** What has to be refused while it is written. */
const MISTAKES = `
import { NatsCluster, Stream } from "nats-regions";

const cluster = new NatsCluster("c1", { regions: ["rg1"], systemPassword: "s", password: "p" });
export const urls: object = cluster.clientUrls;
// @ts-expect-error There is no such setting.
new NatsCluster("c2", { regionen: ["rg1"], systemPassword: "s", password: "p" });
// @ts-expect-error A number is no text.
new Stream("ORDERS", { cluster, subjects: ["orders.*"], replicas: "three" });
`;

const STRIPPED = { file: "index.ts", type: "module", typescript: false } as const;

/** Runs a program by Pulumi's Automation API, whose cluster has a stream that can't be placed. */
const inlineText = (project: string) => `
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { NatsCluster } from "nats-regions";

const program = async () => {
  const streams = { LOST: { subjects: ["lost.*"], replicas: 3, placement: { tags: ["rg:9"] } } };
  const cluster = new NatsCluster("c1", { regions: ["rg1"], systemPassword: "s", password: "p", streams });
  return { placements: cluster.placements };
};
const args = { stackName: "dev", projectName: "${project}", program };
const stack = await LocalWorkspace.selectStack(args, { workDir: process.cwd() });
await stack.preview().catch(({ message }) => console.log("ended with", message));
`;

/** How programs are written: as node runs them, as `pulumi new typescript` has them, in JavaScript. */
const KINDS: Readonly<Record<string, Omit<Program, "text">>> = {
  "a module whose types node strips": STRIPPED,
  "TypeScript that Pulumi compiles": { file: "index.ts", type: "commonjs" },
  JavaScript: { file: "index.js", type: "module" },
};

const urls = z.record(z.string(), z.string());
const outputs = z.object({
  clientUrls: urls,
  placements: z.record(z.string(), z.object({ replicas: z.array(z.string()) })),
  secondUrls: urls.optional(),
});

/** One program, its whole life: each test goes on where the one before ended. */
describe("a program that installed the package", () => {
  let program: LibraryProgram;
  const said: string[] = [];

  const run = async (...args: string[]) => {
    const text = await program.expectPulumi(...args);
    said.push(text);
    return text;
  };
  const write = (zone: string, more?: string) =>
    program.write({ ...STRIPPED, text: programText(zone, more) });
  const reach = async () => outputs.parse(await program.outputs());

  beforeAll(async () => {
    program = await LibraryProgram.install({ ...STRIPPED, text: programText("az:1") }, "c1", "c2");
  });

  afterAll(() => program.remove());

  test("is told by the compiler what can't be", async () => {
    expect(await program.complaints(MISTAKES, "--module", "nodenext")).toBe("");
    const bundled = ["--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck"];
    expect(await program.complaints(MISTAKES, ...bundled)).toBe("");
  });

  test("ends with a refusal, where another one runs it inline", async () => {
    const { exitCode, text } = await program.node(inlineText(program.project));
    expect(text).toMatch(/streams\.LOST\.placement: needs 3 servers tagged rg:9/);
    expect(text).toContain("ended with");
    expect(exitCode).toBe(0);
  });

  test("brings a cluster up with both streams where it says", async () => {
    await run("up", "--yes");

    const { placements, ...servers } = await reach();
    await using client = await NatsClient.connect(servers);
    expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
    expect(await client.hosts("ORDERS")).toEqual(["rg1-az1"]);
    expect(placements).toMatchObject({
      EVENTS: { replicas: ["rg1-az1", "rg1-az2", "rg1-az3"] },
      ORDERS: { replicas: ["rg1-az1"] },
    });
  });

  test.each(Object.entries(KINDS))("has nothing to change as %s", async (_, kind) => {
    program.write({ ...kind, text: programText("az:1") });
    await run("preview", "--expect-no-changes");
  });

  test("moves a stream with every message, in use", async () => {
    const before = await reach();
    await using traffic = await Traffic.start(before, ["EVENTS", "ORDERS"], "ORDERS");
    write("az:3");
    expect(await run("preview", "--diff")).toContain('"rg1-az1" => "rg1-az3"');
    await traffic.during(() => run("up", "--yes", "--skip-preview"));

    await using client = await NatsClient.connect(await reach());
    expect(await client.hosts("ORDERS")).toEqual(["rg1-az3"]);
    for (const stream of ["EVENTS", "ORDERS"]) {
      const { acknowledged, ...audit } = await traffic.audit(stream);
      expect(acknowledged).toBeGreaterThan(50);
      expect(audit).toMatchObject({ missing: [], storedTwice: 0, givenUp: 0, versions: 1 });
    }
    await run("preview", "--expect-no-changes");
  });

  test("has another cluster beside it, which comes and goes", async () => {
    const before = await program.leftovers();
    write("az:3", secondCluster());
    await run("up", "--yes", "--skip-preview");
    const { clientUrls, secondUrls = {} } = await reach();
    await using first = await NatsClient.connect({ clientUrls });
    await using second = await NatsClient.connect({ clientUrls: secondUrls });
    await second.publish("orders.new", "for the second");
    expect(await second.payloads("ORDERS")).toEqual(["for the second"]);
    expect(await first.payloads("ORDERS")).not.toContain("for the second");

    write("az:3");
    const refused = await program.pulumi("up", "--yes", "--skip-preview");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toContain(
      "cluster c2 is in the program no more, but has ORDERS with 1 message",
    );
    expect(await second.payloads("ORDERS")).toEqual(["for the second"]);
    write("az:3", secondCluster());
    await run(
      "up",
      "--yes",
      "--skip-preview",
      "--replace",
      "**::c2-removal",
      "--replace",
      "**::c2-shutdown",
    );
    expect(await second.payloads("ORDERS")).toEqual(["for the second"]);
    await run("preview", "--expect-no-changes");

    write("az:3", secondCluster(", allowDataLoss: true"));
    await run("up", "--yes", "--skip-preview");
    write("az:3");
    await run("up", "--yes", "--skip-preview");
    expect(await program.leftovers()).toEqual(before);
    await run("preview", "--expect-no-changes");
  });

  test("has said no password", () => {
    const leaked = Object.values(PASSWORDS).filter((secret) => appearsIn(said.join("\n"), secret));
    expect(leaked).toEqual([]);
  });

  test("leaves nothing behind when it is destroyed", async () => {
    await run("destroy", "--yes", "--skip-preview");
    expect(await program.leftovers()).toEqual([]);
  });
});
