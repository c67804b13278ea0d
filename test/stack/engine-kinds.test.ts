import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MachineName } from "../support/machines/directions.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { pingingPlugin, whyNoPingingPlugin } from "../support/pinging-plugin.ts";
import { TestStack } from "../support/stack.ts";

const KEPT = {
  subjects: ["kept.*"],
  replicas: 3,
  placement: { across: { rg1: 1, rg2: 1, rg4: 1 } },
};
const LATER = { subjects: ["later.*"], replicas: 1, placement: { region: "rg1" } };
const EXCLUDING = ["--exclude", "**-rg3-*", "--exclude", "**-image-rg3"];
const REGIONS: Readonly<Record<string, MachineName>> = {
  rg1: "m1",
  rg2: "m2",
  rg3: "m3",
  rg4: "m4",
};

const reason = (await whyNoMachines()) ?? (await whyNoPingingPlugin());

describe.skipIf(reason)(`engines of all kinds${reason ? ` (${reason})` : ""}`, () => {
  let machines: Machines;
  let stack: TestStack;
  /** In the place of `~/.docker`. */
  const dockerConfig = mkdtempSync(path.join(tmpdir(), "nats-regions-contexts-"));

  const settings = (more: object = {}) => {
    const [m1, m2, m3, m4] = ["m1", "m2", "m3", "m4"].map((name) =>
      machines.machine(name as MachineName),
    );
    return {
      regions: Object.keys(REGIONS),
      availabilityZones: ["az1"],
      uniqueTag: "rg:",
      memory: "128MiB",
      streams: { KEPT },
      engines: {
        rg1: { host: m1?.tcpHost, certPath: machines.certPath },
        rg2: { host: "by-ssh", address: m2?.address },
        rg3: { host: "by-tcp", address: m3?.address },
        rg4: { host: m4?.localHost, address: m4?.address },
      },
      ...more,
    };
  };

  async function newContext(name: string, endpoint: string): Promise<void> {
    const env = { DOCKER_CONFIG: dockerConfig };
    await execa("docker", ["context", "create", name, "--docker", endpoint], { env });
  }

  beforeAll(async () => {
    machines = await Machines.start({ count: 4, images: ["nats:2.15.2"], byTcp: true });
    const file = (name: string) => `${name}=${path.join(machines.certPath, `${name}.pem`)}`;
    await newContext("by-ssh", `host=${machines.machine("m2").host}`);
    const tls = ["ca", "cert", "key"].map(file);
    await newContext("by-tcp", [`host=${machines.machine("m3").tcpHost}`, ...tls].join());
    stack = await TestStack.create(settings());
    Object.assign(stack.env, machines.environment, { DOCKER_CONFIG: dockerConfig });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
  });

  afterAll(async () => {
    await stack?.remove();
    await machines?.[Symbol.asyncDispose]();
    rmSync(dockerConfig, { recursive: true });
  });

  /** From now on, Pulumi has the plugin that asks engines for a sign of life. */
  async function usePingingPlugin(): Promise<void> {
    stack.env.PATH = `${await pingingPlugin()}${path.delimiter}${machines.environment.PATH}`;
  }

  test("have their nodes, by tcp, contexts and a socket", async () => {
    for (const [region, name] of Object.entries(REGIONS)) {
      const listed = await machines.machine(name).localDocker("ps", "--format={{.Names}}");
      expect(listed).toBe(stack.containerOf(`${region}-az1`));
    }
    await stack.expectPulumi("preview", "--expect-no-changes");
    const { stdout, stderr } = await stack.script("status");
    expect(`${stderr}${stdout}`).toContain("4 of 4 nodes up");
  });

  test("leave no key in the state", () => {
    const key = readFileSync(path.join(machines.certPath, "key.pem"), "utf8").split("\n")[1];
    expect(key).toMatch(/^\S{40,}$/);
    expect(stack.stateText()).toContain(machines.certPath);
    expect(stack.stateText()).not.toContain(key);
  });

  test("are the same to a plugin that asks them for a sign of life", async () => {
    await usePingingPlugin();
    const preview = await stack.expectPulumi("preview", "--expect-no-changes");
    expect(preview).toContain("using pulumi-resource-docker from $PATH");
  });

  test("without an answer stop that plugin, and the warning says how to go on", async () => {
    await machines.isolate("m3");
    stack.configure(settings({ streams: { KEPT, LATER } }));
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("failed to connect to any docker daemon");
    const way = EXCLUDING.join(" ").replaceAll(/\*\*\S+/g, "'$&'");
    expect(text).toContain(`npx pulumi up ${way}`);

    await stack.expectPulumi("up", "--yes", "--skip-preview", ...EXCLUDING);
    expect((await stack.outputs()).streams).toHaveProperty("LATER");
    await machines.heal();
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("are left without a trace", async () => {
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    for (const machine of machines.all) {
      const left = await Promise.all([
        machine.localDocker("ps", "--all", "--quiet"),
        machine.localDocker("volume", "ls", "--quiet"),
        machine.localDocker("network", "ls", "--quiet", "--filter=name=nats-regions"),
      ]);
      expect(left).toEqual(["", "", ""]);
    }
  });
});
