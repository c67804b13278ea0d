import type { ChildProcess } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Authenticator, connect, type NatsConnection, nkeyAuthenticator } from "nats";
import type { Accounts } from "../../lib/accounts/accounts-conf.ts";
import { renderAccountsConf } from "../../lib/nodes/nats-conf.ts";
import { endServer, readPage, whenItAnswers } from "./answering-server.ts";
import { freePorts } from "./own-ports.ts";
import { startProcess } from "./server-process.ts";

/** A single nats-server process with JetStream, and accounts like a node's. */
export class NatsServer implements AsyncDisposable {
  readonly url: string;
  readonly monitor: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, [client = 0, monitor = 0]: readonly number[]) {
    this.#folder = folder;
    this.url = `nats://127.0.0.1:${client}`;
    this.monitor = `http://127.0.0.1:${monitor}`;
    this.#process = startProcess(["-c", path.join(folder, "nats.conf")]);
  }

  /** @param options further ones, in the words of the server's config. */
  static async start(accounts: Accounts, options = ""): Promise<NatsServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
    const ports = await freePorts(2);
    const conf = `listen: "127.0.0.1:${ports[0]}"\nhttp: "127.0.0.1:${ports[1]}"\njetstream { store_dir: "${folder}" }\ninclude accounts.conf\n${options}\n`;
    await writeFile(path.join(folder, "nats.conf"), conf);
    await writeFile(path.join(folder, "accounts.conf"), renderAccountsConf(accounts));
    const server = new NatsServer(folder, ports);
    await whenItAnswers(() => server.page("healthz"));
    return server;
  }

  /** Changes the accounts by a reload. @returns milliseconds until they were in force. */
  async reload(accounts: Accounts): Promise<number> {
    const loadTime = async () => (await this.page("varz")).config_load_time;
    const before = await loadTime();
    await writeFile(path.join(this.#folder, "accounts.conf"), renderAccountsConf(accounts));
    const began = performance.now();
    this.#process.kill("SIGHUP");
    while ((await loadTime()) === before) await sleep(10);
    return performance.now() - began;
  }

  /** A client that logs in with user and password, or with the seed of an nkey. */
  connect(user: string, pass?: string, inboxPrefix?: string): Promise<NatsConnection> {
    const login: { user?: string; pass?: string; authenticator?: Authenticator } =
      pass === undefined
        ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(user)) }
        : { user, pass };
    const inbox = inboxPrefix === undefined ? {} : { inboxPrefix };
    return connect({ servers: this.url, reconnect: false, timeout: 5_000, ...login, ...inbox });
  }

  async page(name: string): Promise<Record<string, unknown>> {
    return await readPage(`${this.monitor}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endServer(this.#process, this.#folder);
  }
}
