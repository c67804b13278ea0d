import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect } from "nats";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { peerId } from "../../lib/observed/meta-group.ts";
import {
  type KeptCluster,
  PEERS_FILE,
  parsePeers,
  whyUnfit,
} from "../../lib/update/kept-members.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/own-ports.ts";
import { startProcess } from "../support/server-process.ts";

const NAMES = ["n1", "n2", "n3", "n4", "n5"];

let folder: string;
let ports: readonly number[];
let servers: ReturnType<typeof startProcess>[];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  ports = await freePorts(NAMES.length * 3);
  servers = [];
});

afterEach(async () => {
  await stop("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Ports for clients, routes and the monitoring pages. */
const portOf = (name: string, kind: 0 | 1 | 2) =>
  ports[NAMES.indexOf(name) + kind * NAMES.length] ?? 0;

/** The folder of a server's data. */
const dataOf = (name: string) => path.join(folder, name);

/** Starts servers, and waits until they are one meta group with a leader. */
async function start(names: readonly string[]): Promise<void> {
  launch(names);
  await eventually(async () => isOneGroup(await Promise.all(names.map(metaGroup))), 60_000);
}

function launch(names: readonly string[]): void {
  const routes = names.map((name) => `nats-route://127.0.0.1:${portOf(name, 1)}`);
  for (const name of names) {
    const conf = path.join(folder, `${name}.conf`);
    writeFileSync(
      conf,
      `server_name: ${name}
listen: "127.0.0.1:${portOf(name, 0)}"
http: "127.0.0.1:${portOf(name, 2)}"
jetstream { store_dir: "${dataOf(name)}" }
cluster { name: c1, listen: "127.0.0.1:${portOf(name, 1)}", routes: ${JSON.stringify(routes)} }
`,
    );
    servers.push(startProcess(["-c", conf]));
  }
}

function isOneGroup(groups: readonly MetaGroup[]): boolean {
  const leaders = new Set(groups.map(({ leader }) => leader));
  return (
    leaders.size === 1 &&
    groups.every(({ leader, cluster_size }) => leader && cluster_size === groups.length) &&
    groups.some(
      ({ replicas }) =>
        replicas?.length === groups.length - 1 && replicas.every(({ current }) => current),
    )
  );
}

async function stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  await Promise.all(
    servers.map(async (server) => {
      if (server.exitCode !== null) return;
      const ended = once(server, "exit");
      server.kill(signal);
      await ended;
    }),
  );
  servers = [];
}

interface MetaGroup {
  readonly leader?: string;
  readonly cluster_size?: number;
  readonly replicas?: readonly { readonly current: boolean }[];
}

async function metaGroup(name: string): Promise<MetaGroup> {
  const response = await fetch(`http://127.0.0.1:${portOf(name, 2)}/jsz`);
  const page = (await response.json()) as { readonly meta_cluster?: MetaGroup };
  return page.meta_cluster ?? {};
}

/** Asks the JetStream API. @throws if it answers with an error. */
async function ask(subject: string, request: object = {}): Promise<{ streams?: string[] }> {
  const connection = await connect({ servers: `127.0.0.1:${portOf("n1", 0)}` });
  try {
    const answer = await connection.request(`$JS.API.${subject}`, JSON.stringify(request), {
      timeout: 5_000,
    });
    const body = answer.json<{ readonly error?: object; readonly streams?: string[] }>();
    if (body.error) throw new Error(JSON.stringify(body.error));
    return body;
  } finally {
    await connection.close();
  }
}

const streams = async () => (await ask("STREAM.NAMES")).streams;
const addStream = (name: string, replicas: number) =>
  ask(`STREAM.CREATE.${name}`, { name, num_replicas: replicas, storage: "file" });

const groupIn = (name: string) => parsePeers(readFileSync(path.join(dataOf(name), PEERS_FILE)));

const keptOf = (names: readonly string[], planned = NAMES): KeptCluster => ({
  returning: names.map((node) => ({
    node,
    dataVolume: `${node}-data`,
    group: groupIn(node),
    hasContainer: false,
  })),
  planned,
  others: [],
  isNew: true,
});

describe("servers that come back to their data", () => {
  test("say who was in their meta group, which begins with all members though most are empty", async () => {
    await start(NAMES);
    await addStream("ORDERS", 5);
    await stop();
    for (const name of NAMES) {
      expect(groupIn(name)).toEqual({ size: 5, ids: NAMES.map(peerId).sort() });
    }
    for (const name of NAMES.slice(2)) rmSync(dataOf(name), { recursive: true });

    expect(whyUnfit(keptOf(["n1", "n2"]))).toBeUndefined();
    await start(NAMES);
    expect(await streams()).toEqual(["ORDERS"]);
  });

  test("of two times don't become a cluster with the streams of both", async () => {
    await start(NAMES);
    await addStream("OLD", 1);
    await stop();
    const newer = ["n1", "n2"];
    for (const name of newer) rmSync(dataOf(name), { recursive: true });
    await start(newer);
    await addStream("NEW", 1);
    await stop();

    expect(whyUnfit(keptOf(NAMES))).toContain(
      "their servers last ran n3, n4, n5 in a meta group of 5, and n1, n2 in a meta group of 2",
    );
    launch(NAMES);
    // Either the streams of one are deleted, or those of the other group never learn of them.
    await eventually(async () => (await streams())?.length === 1, 60_000);
  });
});
