import { access, constants, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installedPackage } from "../support/installed-package.ts";

/** What somebody else writes, in TypeScript that is compiled. */
const PROGRAM = `
import { PlanError, parseSettings, planCluster, plannedHosts, type StreamPlan } from "nats-regions/planner";

const identity = { project: "elsewhere", stack: "dev" };
const stream = (tag: string) => ({ subjects: [tag], replicas: 3, placement: { tags: [tag] } });
const hostsOf = ({ name, placement }: StreamPlan) => [name, plannedHosts(placement)] as const;
const { streams } = planCluster(parseSettings({ streams: { ORDERS: stream("rg:2"), EVENTS: stream("xr:123") } }, identity));
let refusal = "";
try {
  planCluster(parseSettings({ streams: { LOST: stream("rg:9") } }, identity));
} catch (error) {
  if (error instanceof PlanError) refusal = error.message;
}
console.log(JSON.stringify({ hosts: Object.fromEntries(streams.map(hostsOf)), refusal }));
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the planner is installed into anybody's project, and plans without Pulumi or Docker", async () => {
  const { "nats-regions": tarball = "" } = (await installedPackage()).dependencies;
  const manifest = { name: "elsewhere", private: true, type: "module" };
  await writeFile(path.join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(path.join(folder, "plan.ts"), PROGRAM);
  await execa("npm", ["install", "--no-audit", "--no-fund", tarball], { cwd: folder });
  const options = ["--strict", "--target", "es2024", "--module", "nodenext", "--outDir", "out"];
  await execa("tsc", [...options, "plan.ts"], {
    cwd: folder,
    preferLocal: true,
    localDir: import.meta.dirname,
  });
  const { stdout } = await execa(process.execPath, ["out/plan.js"], { cwd: folder });
  const { hosts, refusal } = JSON.parse(stdout);
  expect(hosts).toEqual({
    ORDERS: ["rg2-az1", "rg2-az2", "rg2-az3"],
    EVENTS: ["rg1-az1", "rg2-az2", "rg3-az3"],
  });
  expect(refusal).toMatch(/streams\.LOST\.placement.*rg:9/);
  expect(await readdir(path.join(folder, "node_modules"))).not.toContain("@pulumi");
  expect(await readdir(path.join(folder, "node_modules/nats-regions"))).toEqual(
    expect.arrayContaining(["README.md", "LICENSE", "docs"]),
  );
});

test("the package has the scripts that its modules start, as commands where they are found by PATH", async () => {
  const { folder: installed } = await installedPackage();
  const scripts = path.join(installed, "node_modules/nats-regions/live/engine");
  await access(path.join(scripts, "configure-node.sh"));
  await access(path.join(scripts, "ssh/ssh"), constants.X_OK);
});
