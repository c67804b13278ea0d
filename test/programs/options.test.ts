import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LibraryProgram } from "../support/library.ts";

const STRIPPED = { file: "index.ts", type: "module", typescript: false } as const;

interface Choices {
  readonly name?: string;
  readonly options?: string;
  /** What a label of the containers says. */
  readonly team?: string;
  /** Another one makes another password. */
  readonly version?: number;
}

/** Three nodes in a component around them, with a password that another resource makes, between two other resources. */
const programText = ({ name = "east", options = "", team = "blue", version = 1 }: Choices = {}) => `
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { NatsCluster, Stream } from "nats-regions";

const systemPassword = new pulumi.Config().requireSecret("systemPassword");
const made = new local.Command(
  "password",
  { create: "openssl rand -hex 16", triggers: [${version}], logging: local.Logging.None },
  { additionalSecretOutputs: ["stdout"] },
);
const shop = new pulumi.ComponentResource("test:index:Shop", "shop");
const before = new local.Command("before", { create: "sleep 1; date +%s%N" });
const cluster = new NatsCluster(
  "${name}",
  {
    regions: ["rg1"],
    systemPassword,
    password: made.stdout,
    transform: { container: { labels: [{ label: "team", value: "${team}" }] } },
  },
  { parent: shop, dependsOn: before, ${options} },
);
const stream = new Stream("ORDERS", { cluster, subjects: ["orders.*"], replicas: 3 });
const after = new local.Command("after", { create: "date +%s%N" }, { dependsOn: cluster });

export const [begun, ended] = [before.stdout, after.stdout];
export const created = stream.created.apply((time) => \`\${Date.parse(time)}000000\`);
`;

const RENAMED = {
  name: "eastern",
  options: 'aliases: [{ name: "east" }], protect: true',
  version: 2,
};

/** One program, its whole life: each test goes on where the one before ended. */
describe("a cluster with Pulumi's own options", () => {
  let program: LibraryProgram;
  const write = (choices: Choices) => program.write({ ...STRIPPED, text: programText(choices) });
  const containers = async () => {
    const filters = [`--filter=name=${program.project}`, "--no-trunc"];
    const { stdout } = await execa("docker", ["ps", ...filters, "--format={{.Names}} {{.ID}}"]);
    return stdout.split("\n").sort();
  };

  beforeAll(async () => {
    program = await LibraryProgram.install({ ...STRIPPED, text: programText() }, "east", "eastern");
  });

  afterAll(async () => {
    await program.pulumi("state", "unprotect", "--all", "--yes");
    await program.remove();
  });

  test("waits for what it depends on, and is waited for with its streams", async () => {
    await program.expectPulumi("up", "--yes", "--skip-preview");
    const { begun, created, ended } = await program.outputs();
    expect(BigInt(`${begun}`)).toBeLessThan(BigInt(`${created}`));
    expect(BigInt(`${created}`)).toBeLessThan(BigInt(`${ended}`));
    await program.expectPulumi("preview", "--expect-no-changes");
  });

  test("keeps its nodes where its resource is renamed, and takes up a password that is made anew", async () => {
    const before = await containers();
    expect(before.join()).toContain(`${program.project}-dev-east-rg1-az1`);
    write(RENAMED);
    const preview = await program.expectPulumi("preview");
    expect(preview).toContain("reload, no restart: of nodes whose users get other passwords");
    // Streams are reached as the system user, whose password is known.
    expect(preview).not.toMatch(/inputs that are not known|Stream ORDERS update/);
    await program.expectPulumi("up", "--yes", "--skip-preview");
    expect(await containers()).toEqual(before);
    await program.expectPulumi("preview", "--expect-no-changes");
  });

  test("has containers that a transform added to, and is told what another one restarts", async () => {
    const [first = ""] = await containers();
    const [container = ""] = first.split(" ");
    const label = '{{ index .Config.Labels "team" }}';
    const { stdout } = await execa("docker", ["inspect", container, `--format=${label}`]);
    expect(stdout).toBe("blue");
    write({ ...RENAMED, team: "green" });
    expect(await program.expectPulumi("preview")).toMatch(
      /restart, one by one: rg1-az1; then rg1-az2; then rg1-az3: transform labels \(\w+\) → labels \(\w+\)/,
    );
  });

  test("isn't destroyed while it is protected", async () => {
    const before = await containers();
    const { exitCode, text } = await program.pulumi("destroy", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("because it is protected");
    expect(await containers()).toEqual(before);
  });

  test("leaves nothing behind when it is destroyed", async () => {
    await program.expectPulumi("state", "unprotect", "--all", "--yes");
    await program.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await program.leftovers()).toEqual([]);
  });
});
