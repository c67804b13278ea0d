import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./own-ports.ts";
import { startProcess } from "./server-process.ts";

interface Member extends Monitor {
  readonly clientUrl: string;
  /** `host:port` for leaf nodes. */
  readonly leafAddress: string;
  readonly conf: string;
  readonly process: ChildProcess;
}

/** nats-server processes in one cluster, each with its own accounts file, which reloads change. */
export class AccountCluster implements AsyncDisposable {
  readonly nodes: readonly Member[];
  readonly #folder: string;

  private constructor(folder: string, nodes: readonly Member[]) {
    this.#folder = folder;
    this.nodes = nodes;
  }

  /** @param accountsConf as {@link renderAccountsConf} renders it. */
  static async start(size: number, accountsConf: string): Promise<AccountCluster> {
    const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
    const ports = await freePorts(size * 4);
    const urls = ports.map((port) => `127.0.0.1:${port}`);
    const routes = urls.slice(0, size).map((url) => `nats-route://${url}`);
    const nodes = await Promise.all(
      routes.map(async (_, index): Promise<Member> => {
        const [route, client, monitor, leaf = ""] = [0, 1, 2, 3].map(
          (kind) => urls[kind * size + index],
        );
        const name = `n${index}`;
        const conf = `"server_name": "${name}"
"listen": "${client}"
"http": "${monitor}"
"leafnodes": { "listen": "${leaf}" }
"jetstream": { "store_dir": "${path.join(folder, name)}" }
"cluster": {
  "name": "accounts", "listen": "${route}", "routes": ${JSON.stringify(routes)}
}
include ${name}-accounts.conf
`;
        const file = path.join(folder, `${name}.conf`);
        await writeFile(file, conf);
        await writeFile(path.join(folder, `${name}-accounts.conf`), accountsConf);
        return {
          name,
          url: `http://${monitor}`,
          clientUrl: `nats://${client}`,
          leafAddress: leaf,
          conf,
          process: startProcess(["-c", file]),
        };
      }),
    );
    const cluster = new AccountCluster(folder, nodes);
    await eventually(async () => await cluster.#hasLeader());
    return cluster;
  }

  /** Gives one server other accounts or another config, and waits until it has loaded them. */
  async reload(name: string, changed: { accountsConf?: string; conf?: string }): Promise<void> {
    const node = this.find(name);
    const { accountsConf, conf } = changed;
    const write = (file: string, text: string) => writeFile(path.join(this.#folder, file), text);
    if (accountsConf !== undefined) await write(`${name}-accounts.conf`, accountsConf);
    if (conf !== undefined) await write(`${name}.conf`, conf);
    const loadTime = async () => (await page(node, "varz")).config_load_time;
    const before = await loadTime();
    node.process.kill("SIGHUP");
    for (const began = Date.now(); (await loadTime()) === before; ) {
      if (Date.now() - began > 5_000) throw new Error(`${name} refuses the reload`);
      await sleep(5);
    }
  }

  find(name: string): Member {
    const found = this.nodes.find((node) => node.name === name);
    if (!found) throw new Error(`no server ${name}`);
    return found;
  }

  /** A client of one server, whose password is its name. It reconnects to that server only. */
  connect(name: string, user: string, options: object = {}): Promise<NatsConnection> {
    const servers = this.find(name).clientUrl;
    return connect({ servers, user, pass: user, ignoreClusterUpdates: true, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.nodes) {
      const exit = once(process, "exit");
      process.kill("SIGKILL");
      await exit;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #hasLeader(): Promise<boolean> {
    const pages = await Promise.all(this.nodes.map((node) => page(node, "healthz")));
    return pages.every(({ status }) => status === "ok");
  }
}

async function page(node: Monitor, name: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${node.url}/${name}`);
  return (await response.json()) as Record<string, unknown>;
}
