import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { JetStreamLimits } from "../../lib/accounts/account-settings.ts";
import { accountsBlock, jetStreamBlock } from "../../lib/accounts/accounts-conf.ts";
import { managerSeed, publicKeyOf } from "../../lib/accounts/nkeys.ts";
import { renderEntries } from "../../lib/base/conf-format.ts";
import type { Fleet, Server } from "../../lib/placement/placement.ts";
import type { StoreKind } from "../../lib/placement/room.ts";
import type { Servers, UserLogin } from "../../live/jetstream/connection.ts";
import {
  JetStreamError,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./own-ports.ts";
import { SEED_SERVERS } from "./seed.ts";
import { BINARY, startProcess } from "./server-process.ts";

/** A cluster of real nats-server processes on loopback. */
export interface TestCluster {
  readonly fleet: Fleet;
  readonly connection: Servers & UserLogin;
  readonly systemConnection: Servers & UserLogin;
  /** Account of `connection`. */
  readonly account: string;
  readonly monitors: readonly Monitor[];
  /** URLs of the servers' monitoring pages, by name. */
  readonly pages: ReadonlyMap<string, string>;
  /** Changes the account's limits by a config reload, and waits until all servers have them. */
  relimit(limits: JetStreamLimits): Promise<void>;
  /** Has a server accept the nkey with another seed instead of the one in `monitors`, by a config reload. */
  rekey(server: string, seed: string): Promise<void>;
  /**
   * Changes servers' tags by a config reload, and waits until the meta leader uses them for placement.
   *
   * @param tags by server; the others keep theirs.
   * @returns the fleet with all current tags. Each changed server has an additional one, its {@link markerOf}.
   */
  retag(tags: Readonly<Record<string, readonly string[]>>): Promise<Fleet>;
  /** Has servers hang, and waits until they do: on a busy machine they go on for a while after the signal. */
  pause(...servers: readonly string[]): Promise<void>;
  resume(...servers: readonly string[]): void;
  stop(): Promise<void>;
}

interface Process {
  readonly server: Server;
  readonly ports: { readonly client: number; readonly route: number; readonly monitor: number };
  readonly configFile: string;
  readonly child: ChildProcess;
}

/** Sizes of a server's stores, bytes. */
export type StoreSizes = Readonly<Record<StoreKind, number>>;

const USUAL_STORES: StoreSizes = { file: 1024 ** 3, memory: 64 * 1024 ** 2 };

/** The part of the config that all servers share. */
interface Shared {
  readonly routes: readonly string[];
  readonly uniqueTag: string;
  readonly directory: string;
  readonly limits: JetStreamLimits;
  /** Of the nkeys that servers accept, by server, where it isn't {@link MONITOR_SEED}. */
  readonly seeds: Readonly<Record<string, string>>;
  readonly storesOf: (server: string) => StoreSizes;
}

const MARKER = "server:";

/** The unique tag that a server gets with each change of its tags. */
export function markerOf({ name, tags }: Server): string {
  const marker = tags.find((tag) => tag.startsWith(MARKER));
  if (marker === undefined) throw new Error(`server ${name} carries no marker`);
  return marker;
}

/**
 * Starts a cluster, and waits until all servers are in one meta group.
 *
 * @param binary path of nats-server, possibly of another version.
 */
export async function startCluster(
  servers: readonly Server[] = SEED_SERVERS,
  uniqueTag = "az:",
  binary = BINARY,
  storesOf: (server: string) => StoreSizes = () => USUAL_STORES,
): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), "nats-regions-"));
  const ports = await freePorts(servers.length * 3);
  const portsOf = (index: number) => {
    const [client = 0, route = 0, monitor = 0] = ports.slice(index * 3, index * 3 + 3);
    return { client, route, monitor };
  };
  const routes = servers.map((_, index) => `nats-route://127.0.0.1:${portsOf(index).route}`);
  let shared: Shared = { routes, uniqueTag, directory, limits: {}, seeds: {}, storesOf };
  const processes = await Promise.all(
    servers.map(async (server, index): Promise<Process> => {
      const configFile = join(directory, `${server.name}.conf`);
      const process = { server, ports: portsOf(index), configFile };
      await mkdir(join(directory, server.name));
      await writeFile(configFile, renderConfig(process, shared));
      const log = ["-l", join(directory, `${server.name}.log`)];
      return { ...process, child: startProcess(["-c", configFile, ...log], binary) };
    }),
  );
  const urls = processes.map(({ ports }) => `nats://127.0.0.1:${ports.client}`);
  const find = (name: string) => {
    const found = processes.find(({ server }) => server.name === name);
    if (!found) throw new Error(`no server ${name} in the test cluster`);
    return found;
  };
  const connection = { urls, user: "user", password: "user" };
  const account = "APP";
  const fleet = { cluster: servers[0]?.cluster ?? "", uniqueTag, servers };
  let tagged = servers;
  let generation = 0;
  const reload = async (server: Server) => {
    const process = { ...find(server.name), server };
    const loadedAt = async () => (await getJson<Varz>(process, "varz")).config_load_time;
    const before = await loadedAt();
    await writeFile(process.configFile, renderConfig(process, shared));
    process.child.kill("SIGHUP");
    await eventually(async () => (await loadedAt()) !== before);
  };
  const cluster: TestCluster = {
    fleet,
    connection,
    systemConnection: { urls, user: "sys", password: "sys" },
    account,
    monitors: processes.map(({ server: { name }, ports }) => ({
      name,
      address: `127.0.0.1:${ports.client}`,
      seed: MONITOR_SEED,
    })),
    pages: new Map(
      processes.map(({ server: { name }, ports }) => [name, `http://127.0.0.1:${ports.monitor}`]),
    ),
    async relimit(limits) {
      shared = { ...shared, limits };
      await Promise.all(tagged.map(reload));
    },
    async rekey(name, seed) {
      shared = { ...shared, seeds: { ...shared.seeds, [name]: seed } };
      await Promise.all(tagged.filter((server) => server.name === name).map(reload));
    },
    async retag(tags) {
      generation += 1;
      tagged = tagged.map(({ name, cluster, tags: kept }) => {
        const given = (tags[name] ?? kept).filter((tag) => !tag.startsWith(MARKER));
        return { name, cluster, tags: [...given, `${MARKER}${name}:${generation}`] };
      });
      for (const server of tagged) {
        const process = { ...find(server.name), server };
        await writeFile(process.configFile, renderConfig(process, shared));
        process.child.kill("SIGHUP");
      }
      const port = openJetStream(connection, account);
      await eventually(() => areTagsInForce(port, tagged));
      return { ...fleet, servers: tagged };
    },
    async pause(...names) {
      const children = names.map((name) => find(name).child);
      for (const child of children) child.kill("SIGSTOP");
      await eventually(async () => {
        const pids = children.map(({ pid }) => `${pid}`).join();
        const { stdout } = await execa("ps", ["-o", "state=", "-p", pids]);
        return stdout.split("\n").every((state) => state.trim() === "T");
      });
    },
    resume(...names) {
      for (const name of names) find(name).child.kill("SIGCONT");
    },
    async stop() {
      await Promise.all(
        processes.map(async ({ child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const exit = once(child, "exit");
          child.kill("SIGKILL");
          await exit;
        }),
      );
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await eventually(() => isOneMetaGroup(processes), 40_000);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

/** The seed by which the tests ask servers, as a stack asks its own. */
const MONITOR_SEED = managerSeed(Buffer.alloc(32, "monitor").toString("base64"), "$SYS");

/** The accounts, as the stack renders them for a cluster without any but the system account. */
function systemAccounts(seed: string): string {
  const managers = { $SYS: publicKeyOf(seed) };
  return renderEntries(
    accountsBlock({ systemUser: "sys", accounts: [], hashes: { sys: "sys" }, managers }),
  );
}

function renderConfig(
  { server, ports, configFile: _ }: Omit<Process, "child">,
  { routes, uniqueTag, directory, limits, seeds, storesOf }: Shared,
): string {
  const { file, memory } = storesOf(server.name);
  return `
server_name: "${server.name}"
server_tags: ${JSON.stringify(server.tags)}
listen: "127.0.0.1:${ports.client}"
http: "127.0.0.1:${ports.monitor}"
cluster { name: "${server.cluster}", listen: "127.0.0.1:${ports.route}", routes: ${JSON.stringify(routes)} }
jetstream {
  store_dir: "${join(directory, server.name)}"
  max_file_store: ${file}
  max_memory_store: ${memory}
  ${uniqueTag === "" ? "" : `unique_tag: "${uniqueTag}"`}
}
${systemAccounts(seeds[server.name] ?? MONITOR_SEED).replace(/\}\s*$/, "")}
  APP { jetstream: ${JSON.stringify(jetStreamBlock(limits))}, users: [{ user: user, password: user }] }
  OTHER { jetstream: enabled, users: [{ user: other, password: other }] }
  BARE { users: [{ user: bare, password: bare }] }
}
`;
}

/**
 * Asks the meta leader for an impossible placement, because only the leader knows which tags it has received: no server
 * has the last of the requested tags. The refusal (`selectPeerGroup`, nats-server 2.15) names for each server the first
 * tag that doesn't match, which is its marker once its current tags are known. For a server that takes no replicas, the
 * refusal only says that; if the leader still had its former tags, it would name the last tag.
 */
async function areTagsInForce(port: JetStreamPort, servers: readonly Server[]): Promise<boolean> {
  const nowhere = "carried-by-no-server";
  const tags = [...servers.map((server) => `!${markerOf(server)}`), nowhere];
  const refusal = await port.create({ name: "NOWHERE", placement: { tags } }).then(
    () => "",
    (error: unknown) => {
      if (error instanceof JetStreamError && error.code === 10005) return error.description;
      throw error;
    },
  );
  const takesReplicas = ({ tags }: Server) =>
    !tags.some((tag) => tag.trim().toLowerCase() === "!jetstream");
  const listed = refusal.match(/tags excluded \[(.*)\]/)?.[1]?.split(", ") ?? [];
  const expected = servers.filter(takesReplicas).map((server) => `'${markerOf(server)}'`);
  return !refusal.includes(nowhere) && listed.sort().join() === expected.sort().join();
}

interface Varz {
  /** RFC 3339. */
  readonly config_load_time: string;
}

interface Jsz {
  readonly meta_cluster?: {
    readonly leader?: string;
    readonly cluster_size?: number;
    readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
  };
}

async function isOneMetaGroup(processes: readonly Process[]): Promise<boolean> {
  const views = await Promise.all(
    processes.map(async (process) => ({
      name: process.server.name,
      group: (await getJson<Jsz>(process, "jsz")).meta_cluster,
    })),
  );
  const agreed = new Set(views.map(({ group }) => `${group?.leader}/${group?.cluster_size}`));
  // Only the leader knows the state of the others.
  const followers = views.find(({ name, group }) => name === group?.leader)?.group?.replicas ?? [];
  return (
    agreed.size === 1 &&
    followers.length === processes.length - 1 &&
    followers.every(({ current, offline }) => current && !offline)
  );
}

async function getJson<Body>({ ports }: Pick<Process, "ports">, path: string): Promise<Body> {
  const response = await fetch(`http://127.0.0.1:${ports.monitor}/${path}`);
  return (await response.json()) as Body;
}
