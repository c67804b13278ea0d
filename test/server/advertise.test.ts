import { mkdtemp, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endServer, readPage, whenItAnswers } from "../support/answering-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/own-ports.ts";
import { startProcess } from "../support/server-process.ts";

/** Why a change of what clients are told is a restart (`advertise` in lib/settings/settings-table.ts). */

interface Told {
  readonly host: string;
  readonly connect_urls?: readonly string[];
}

let ports: readonly number[];
let folders: readonly string[];
const processes: ReturnType<typeof startProcess>[] = [];

const write = (index: number, options: object, cluster: object = {}) => {
  const routes = [ports[4], ports[5]].map((port) => `nats-route://127.0.0.1:${port}`);
  const conf = {
    server_name: `n${index}`,
    listen: `127.0.0.1:${ports[index]}`,
    http: `127.0.0.1:${ports[2 + index]}`,
    cluster: { name: "c", listen: `127.0.0.1:${ports[4 + index]}`, routes, ...cluster },
    ...options,
  };
  return writeFile(path.join(folders[index] ?? "", "nats.conf"), JSON.stringify(conf));
};
const page = (index: number) => readPage(`http://127.0.0.1:${ports[2 + index]}/varz`);
const start = async (index: number) => {
  processes[index] = startProcess(["-c", path.join(folders[index] ?? "", "nats.conf")]);
  await whenItAnswers(() => page(index));
};

/** What a server tells a new client. */
const toldBy = (index: number) =>
  new Promise<Told>((resolve, reject) => {
    const socket = connect(ports[index] ?? 0, "127.0.0.1");
    socket.once("error", reject).once("data", (data) => {
      socket.destroy();
      resolve(JSON.parse(`${data}`.slice("INFO ".length)));
    });
  });
const urlsOf = async (index: number) => [...((await toldBy(index)).connect_urls ?? [])].sort();

const reload = async (index: number) => {
  const before = (await page(index)).config_load_time;
  processes[index]?.kill("SIGHUP");
  await eventually(async () => (await page(index)).config_load_time !== before);
};

beforeAll(async () => {
  ports = await freePorts(6);
  const folder = () => mkdtemp(path.join(tmpdir(), "nats-regions-"));
  folders = [await folder(), await folder()];
  for (const index of [0, 1]) await write(index, { client_advertise: `n${index}.example.com:1` });
  for (const index of [0, 1]) await start(index);
});

afterAll(async () => {
  for (const [index, folder] of folders.entries()) {
    const server = processes[index];
    if (server) await endServer(server, folder);
  }
});

const BOTH = ["n0.example.com:1", "n1.example.com:1"];

test("a reload takes another address, and tells no client to go there", async () => {
  await eventually(async () => JSON.stringify(await urlsOf(1)) === JSON.stringify(BOTH));
  await write(0, { client_advertise: "other.example.com:2" });
  await reload(0);
  expect((await toldBy(0)).host).toBe("other.example.com");
  for (const index of [0, 1]) expect(await urlsOf(index)).toEqual(BOTH);
});

test("a reload takes no_advertise, and clients hear the same as before", async () => {
  await write(0, { client_advertise: "other.example.com:2" }, { no_advertise: true });
  await reload(0);
  for (const index of [0, 1]) expect(await urlsOf(index)).toEqual(BOTH);
});

test("after a start with no_advertise, it tells of nobody, and nobody of it", async () => {
  processes[0]?.kill("SIGTERM");
  await eventually(async () => processes[0]?.exitCode !== null);
  await start(0);
  await eventually(async () => (await urlsOf(1)).join() === "n1.example.com:1");
  expect(await urlsOf(0)).toEqual([]);
});
