import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { LEAF_PORT, MQTT_PORT, WEBSOCKET_PORT } from "../../lib/nodes/listeners.ts";
import { type NodeConf, renderAccountsConf, renderNodeConf } from "../../lib/nodes/nats-conf.ts";
import { simpleAccounts } from "./accounts.ts";
import { endServer, readPage, whenItAnswers } from "./answering-server.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./own-ports.ts";
import { BINARY, startProcess } from "./server-process.ts";

/** What nats-server does with a config on SIGHUP. */
export type Reload = { readonly refused: string } | "applied";

/** A nats-server process with the config that a node has, except for ports and folders. */
export class RenderedServer implements AsyncDisposable {
  readonly clientUrl: string;
  readonly websocketUrl: string;
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #process: ChildProcess;

  private constructor(folder: string, ports: readonly number[], binary: string) {
    this.#folder = folder;
    this.#ports = ports;
    this.clientUrl = `nats://127.0.0.1:${ports[0]}`;
    this.websocketUrl = `ws://127.0.0.1:${ports[4]}`;
    this.#process = startProcess(["-c", path.join(folder, "nats.conf")], binary);
  }

  static async start(conf: NodeConf, binary = BINARY): Promise<RenderedServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
    const ports = await freePorts(6);
    await writeFile(path.join(folder, "nats.conf"), textOf(conf, folder, ports));
    const accounts = simpleAccounts({ sys: "sys", user: "user" });
    await writeFile(path.join(folder, "accounts.conf"), renderAccountsConf(accounts));
    const server = new RenderedServer(folder, ports, binary);
    await whenItAnswers(() => server.page("varz"));
    return server;
  }

  /** Writes another config, and has the server reload it. */
  async reload(conf: NodeConf): Promise<Reload> {
    const before = await this.#log();
    const text = textOf(conf, this.#folder, this.#ports);
    await writeFile(path.join(this.#folder, "nats.conf"), text);
    this.#process.kill("SIGHUP");
    let said = "";
    await eventually(async () => {
      said = (await this.#log()).slice(before.length);
      return /Reloaded server configuration|Failed to reload server configuration: .*\n/.test(said);
    });
    const [, refused] = said.match(/Failed to reload server configuration: (.*)/) ?? [];
    return refused === undefined ? "applied" : { refused };
  }

  async page(name: string): Promise<Record<string, unknown>> {
    return await readPage(`http://127.0.0.1:${this.#ports[1]}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endServer(this.#process, this.#folder);
  }

  async #log(): Promise<string> {
    return await readFile(path.join(this.#folder, "log"), "utf8");
  }
}

function textOf(conf: NodeConf, folder: string, ports: readonly number[]): string {
  const [client, monitor, route, leaf, websocket, mqtt] = ports;
  const text = renderNodeConf(conf)
    .replaceAll("4222", `${client}`)
    .replace("8222", `${monitor}`)
    .replaceAll("6222", `${route}`)
    .replace(`"port": ${LEAF_PORT}`, `"port": ${leaf}`)
    .replace(`"port": ${WEBSOCKET_PORT}`, `"port": ${websocket}`)
    .replace(`"port": ${MQTT_PORT}`, `"port": ${mqtt}`)
    .replace('"/data"', `"${folder}"`);
  return `"log_file": "${path.join(folder, "log")}"\n${text}`;
}
