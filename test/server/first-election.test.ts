import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packFirstTerm } from "../../lib/nodes/first-term.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/own-ports.ts";
import { startProcess } from "../support/server-process.ts";

const SIZE = 5;

let folder: string;
let servers: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  servers = [];
});

afterEach(async () => {
  await Promise.all(
    servers.map(async (server) => {
      if (server.exitCode !== null) return;
      const ended = once(server, "exit");
      server.kill("SIGKILL");
      await ended;
    }),
  );
  rmSync(folder, { recursive: true });
});

test("a server that starts last with a term of its own leads its meta group by its first campaign", async () => {
  const ports = await freePorts(SIZE * 2);
  const routes = ports.slice(0, SIZE).map((port) => `nats-route://127.0.0.1:${port}`);
  const start = async (index: number) => {
    const conf = path.join(folder, `n${index}.conf`);
    const monitor = ports[SIZE + index];
    writeFileSync(
      conf,
      `server_name: n${index}
listen: "127.0.0.1:-1"
http: "127.0.0.1:${monitor}"
jetstream { store_dir: "${path.join(folder, `n${index}`, "data")}" }
cluster { name: c1, listen: "127.0.0.1:${ports[index]}", routes: ${JSON.stringify(routes)} }
`,
    );
    servers.push(startProcess(["-c", conf]));
    await eventually(async () => (await fetch(`http://127.0.0.1:${monitor}/varz`)).ok);
  };
  const last = SIZE - 1;
  mkdirSync(path.join(folder, `n${last}`));
  const input = Buffer.from(packFirstTerm(), "base64");
  execFileSync("tar", ["-x", "-C", path.join(folder, `n${last}`), "--no-same-owner"], { input });

  for (let index = 0; index < SIZE; index++) await start(index);

  const monitor = ports[SIZE + last] ?? 0;
  await eventually(async () => (await metaGroup(monitor)).leader !== undefined);
  expect(await metaGroup(monitor)).toMatchObject({ state: "LEADER", term: 1_001 });
});

interface Group {
  readonly state?: string;
  readonly leader?: string;
  readonly term?: number;
}

/** The meta group in the view of a server, by its monitoring port. */
async function metaGroup(port: number): Promise<Group> {
  const response = await fetch(`http://127.0.0.1:${port}/raftz?acc=$SYS&group=_meta_`);
  const accounts = (await response.json()) as Record<string, Record<string, Group>>;
  return accounts.$SYS?._meta_ ?? {};
}
