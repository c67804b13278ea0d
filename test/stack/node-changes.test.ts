import { execa } from "execa";
import { createTar } from "nanotar";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NodePlan, nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { PROJECT, TestStack, TWO_REGIONS } from "../support/stack.ts";

const ZONES = "rg1-az1, rg2-az1; then rg1-az2, rg2-az2; then rg1-az3, rg2-az3";
const NODES = ZONES.replaceAll("; then", ",");

/** What an update makes of nodes is said before, and is what it does. */
describe("a change of nodes", () => {
  let stack: TestStack;

  const preview = async (settings: object) => {
    stack.configure({ ...TWO_REGIONS, ...settings });
    return await stack.expectPulumi("preview");
  };

  beforeAll(async () => {
    stack = await TestStack.create(TWO_REGIONS);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("isn't announced where there is none", async () => {
    expect(await preview({})).not.toMatch(/restart|reload|new: /);
  });

  test("is a restart where no reload will do, zone by zone", async () => {
    expect(await preview({ memory: "256MiB", syncInterval: "1s" })).toContain(
      `restart, zone by zone: ${ZONES}: memory 512MiB → 256MiB; syncInterval always → 1s`,
    );
  });

  test("names new nodes beside what the others take up", async () => {
    const said = await preview({ availabilityZones: ["az1", "az2", "az3", "az4"] });
    expect(said).toContain(`reload, no restart: ${NODES}: routes + rg1-az4, rg2-az4`);
    expect(said).toContain("new: rg1-az4, rg2-az4");
  });

  test("isn't the making of a new node where one has lost its container, but a warning", async () => {
    await execa("docker", ["rm", "--force", `nats-regions-${stack.name}-rg2-az1`]);
    const said = await preview({});
    expect(said).toContain("1 of 6 nodes don't run: rg2-az1");
    expect(said).not.toContain("new: ");
    await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
  });

  test("by hand is said, and put right by a reload", async () => {
    const before = await readConfig();
    const edited = await writeConfig(before.replace('"rg:1"', '"rg:9"'));
    expect(edited).toMatchObject({ exitCode: 0 });

    const tagged = await preview({});
    expect(tagged).toContain("reload, no restart: rg1-az1: tags + rg:1, - rg:9");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(await readConfig()).toBe(before);

    await writeConfig(`${before}"debug": true\n`);
    const unseen = await preview({});
    expect(unseen).toContain(
      "reload, no restart: rg1-az1: config users, passwords, rights, logs or other config, or changed by hand",
    );
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(await readConfig()).toBe(before);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("is a reload for a tag and for a password, which it doesn't show", async () => {
    await stack.pulumi("config", "set", "--secret", "password", "app-Gnu-2342");
    const password = await preview({});
    expect(password).toContain(
      `reload, no restart: ${NODES}: config users, passwords, rights, logs or other config`,
    );
    expect(password).not.toContain("Gnu");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(await preview({})).not.toMatch(/restart|reload/);

    const solo = { subjects: ["solo.*"], replicas: 1, placement: { tags: ["xr:_2"] } };
    const tagged = { streams: { ...TWO_REGIONS.streams, SOLO: solo } };
    expect(await preview(tagged)).toContain("reload, no restart: rg2-az2: tags + xr:_2");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(await preview(tagged)).not.toMatch(/restart|reload/);
    expect((await stack.outputs()).streams.SOLO?.replicas).toEqual(["rg2-az2"]);
  });

  test.each([
    ["another sync interval", '"sync_interval": "1s"', "config reload not supported for Sync"],
    ["nonsense", '"sync_interval": [', "Parse error"],
  ])(
    "that nats-server refuses to reload, as with %s, is told in its words, and leaves the old config",
    async (_, text, words) => {
      const before = await readConfig();
      const { exitCode, stderr } = await writeConfig(
        before.replace('"sync_interval": "always"', text),
      );
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        new RegExp(
          `^nats-regions-\\S+-rg1-az1: nats-server keeps its old config, as it refuses to reload: .*${words}`,
        ),
      );
      expect(await readConfig()).toBe(before);
    },
  );

  test("that nats-server refuses before a restart is told in its words, and leaves the old config", async () => {
    const before = await readConfig();
    const { exitCode, stderr } = await writeConfig(`${before}"jetstream": [`, "{}");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/-rg1-az1: nats-server refuses the new config: .*Parse error/is);
    expect(await readConfig()).toBe(before);
  });

  function firstNode(): NodePlan {
    const settings = parseSettings(TWO_REGIONS, { project: "nats-regions", stack: stack.name });
    const [node] = nodesOf(planCluster(settings));
    if (!node) throw new Error("the plan has no node");
    return node;
  }

  async function readConfig(): Promise<string> {
    const copy = `docker cp ${firstNode().containerName}:/etc/nats - | tar -xO nats/nats.conf`;
    return (await execa("sh", ["-c", copy], { stripFinalNewline: false })).stdout;
  }

  async function settingsInLabel(): Promise<string> {
    const label = '--format={{index .Config.Labels "nats-regions.restart-settings"}}';
    return (await execa("docker", ["inspect", label, firstNode().containerName])).stdout;
  }

  /**
   * Gives the first node another config.
   *
   * @param settings those that need a restart. Default: the node's own, so that the config is reloaded.
   */
  async function writeConfig(conf: string, settings?: string) {
    const node = firstNode();
    const attrs = { uid: 10_001, gid: 10_001, mode: "440" };
    const archive = createTar([{ name: "etc/nats/nats.conf", data: conf, attrs }]);
    return await execa("sh", ["live/engine/configure-node.sh"], {
      cwd: PROJECT,
      reject: false,
      input: Buffer.from(archive).toString("base64"),
      env: {
        CONTAINER: node.containerName,
        CONFIG_VOLUME: node.configVolume,
        DATA_VOLUME: node.dataVolume,
        IMAGE: "nats:2.15.2",
        OWNER: "nats-regions.test=by-hand",
        RESTART_SETTINGS: settings ?? (await settingsInLabel()),
      },
    });
  }
});
