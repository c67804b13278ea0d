import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { uniformShape } from "../../lib/topology/shape.ts";
import { placeNodes } from "../../lib/topology/topology.ts";
import type { Tools } from "../setup/set-up.ts";

/** Different from the ports of other stacks, and below the ephemeral ports. */
const PORTS = { client: 21_222, route: 23_222, monitor: 25_222 };

const STREAMS = [
  { name: "EVENTS", tag: "xr:123", subjects: "events.*" },
  { name: "ORDERS", tag: "rg:2", subjects: "orders.*" },
];

/**
 * Runs the steps of the example's own page: nine servers as plain processes, started one second apart with three seed
 * routes, a wait until the first one is healthy, two reports, then both streams with the nats CLI.
 *
 * @returns seconds until both streams exist; `undefined` if they can't be created: with three seed routes the servers
 * sometimes form two meta groups, and the streams find no peers.
 */
export async function timeExample({ natsServer, nats }: Tools): Promise<number | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), "nats-regions-example-"));
  const nodes = placeNodes(uniformShape(["rg1", "rg2", "rg3"], ["az1", "az2", "az3"]));
  const began = performance.now();
  const servers: ReturnType<typeof spawn>[] = [];
  try {
    for (const node of nodes) {
      const config = path.join(folder, `${node.name}.conf`);
      writeFileSync(config, renderConfig(node, folder));
      servers.push(spawn(natsServer, ["-c", config], { stdio: "ignore" }));
      await sleep(1_000);
    }
    await firstIsHealthy();
    const server = `--server=nats://127.0.0.1:${PORTS.client}`;
    await execa(nats, [server, "--user=sys", "--password=sys", "server", "list"]);
    await execa(nats, [server, "--user=sys", "--password=sys", "server", "report", "jetstream"]);
    for (const { name, tag, subjects } of STREAMS) {
      const { failed } = await execa({ reject: false })(nats, [
        server,
        "--user=user",
        "--password=user",
        "stream",
        "add",
        name,
        `--subjects=${subjects}`,
        `--tag=${tag}`,
        "--replicas=3",
        "--storage=file",
        "--retention=limits",
        "--allow-rollup",
        "--dupe-window=2m",
        "--defaults",
      ]);
      if (failed) return undefined;
    }
    return (performance.now() - began) / 1_000;
  } finally {
    await Promise.all(
      servers.map(async (server) => {
        const ended = new Promise((resolve) => server.once("exit", resolve));
        server.kill("SIGKILL");
        await ended;
      }),
    );
    rmSync(folder, { recursive: true, force: true });
  }
}

type Node = ReturnType<typeof placeNodes>[number];

function renderConfig({ name, serverTags, portOffset }: Node, folder: string): string {
  const seeds = [0, 1, 2].map((index) => `nats-route://127.0.0.1:${PORTS.route + index}`);
  return [
    `server_name: ${name}`,
    `server_tags: [${serverTags.map((tag) => `"${tag}"`).join(", ")}]`,
    `listen: "127.0.0.1:${PORTS.client + portOffset}"`,
    `http: "127.0.0.1:${PORTS.monitor + portOffset}"`,
    `jetstream: { unique_tag: "az:", store_dir: "${path.join(folder, name)}" }`,
    "accounts: {",
    "  $SYS: { users: [{ user: sys, password: sys }] }",
    "  APP: { jetstream: true, users: [{ user: user, password: user }] }",
    "}",
    `cluster: { name: c1, listen: "127.0.0.1:${PORTS.route + portOffset}", routes: [${seeds.join(", ")}] }`,
  ].join("\n");
}

/** The same patience as the page's curl: five retries, one second apart. */
async function firstIsHealthy(): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`http://127.0.0.1:${PORTS.monitor}/healthz`).catch(
      () => undefined,
    );
    if (response?.ok) return;
    if (attempt === 5) throw new Error("the example's first server doesn't become healthy");
    await sleep(1_000);
  }
}
