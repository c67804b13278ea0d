import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { planAccounts } from "../../lib/accounts/accounts.ts";
import type { Accounts } from "../../lib/accounts/accounts-conf.ts";
import { hashPassword } from "../../lib/accounts/credentials.ts";
import { MQTT_PORT, WEBSOCKET_PORT } from "../../lib/nodes/listeners.ts";
import { CONFIG_DIR, renderAccountsConf, renderNodeConf } from "../../lib/nodes/nats-conf.ts";
import { nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { endServer } from "./answering-server.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./own-ports.ts";
import { startProcess } from "./server-process.ts";

/** What a server is to run with: settings, and the files of its config volume that they name. */
export interface TlsServerArgs {
  readonly settings: object;
  readonly files: Readonly<Record<string, string>>;
  /** Public nkeys of the stack's own users, by account. */
  readonly managers: Readonly<Record<string, string>>;
}

/** A nats-server process with the config that the first node of some settings has, but for ports and folders. */
export class TlsServer implements AsyncDisposable {
  readonly ports: { readonly client: number; readonly websocket: number; readonly mqtt: number };
  readonly #folder: string;
  readonly #process: ReturnType<typeof startProcess>;

  private constructor(folder: string, ports: TlsServer["ports"]) {
    this.#folder = folder;
    this.ports = ports;
    this.#process = startProcess(["-D", "-c", path.join(folder, "nats.conf")]);
  }

  static async start(args: TlsServerArgs): Promise<TlsServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
    const [client = 0, websocket = 0, mqtt = 0] = await freePorts(3);
    const ports = { client, websocket, mqtt };
    await write(folder, ports, args);
    const server = new TlsServer(folder, ports);
    await eventually(() => accepts(client));
    return server;
  }

  /** @returns why the server refuses it; empty if it doesn't. */
  async reload(args: TlsServerArgs): Promise<string> {
    const before = await this.log();
    await write(this.#folder, this.ports, args);
    this.#process.kill("SIGHUP");
    let said = "";
    await eventually(async () => {
      said = (await this.log()).slice(before.length);
      return /Reloaded server configuration|Failed to reload server configuration: .*\n/.test(said);
    });
    return said.match(/Failed to reload server configuration: (.*)/)?.[1] ?? "";
  }

  log(): Promise<string> {
    return readFile(path.join(this.#folder, "log"), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endServer(this.#process, this.#folder);
  }
}

async function write(folder: string, ports: TlsServer["ports"], args: TlsServerArgs) {
  const settings = parseSettings(
    { password: "(given)", systemPassword: "(given)", ...args.settings },
    { project: "nats-regions", stack: "dev" },
  );
  const [node] = nodesOf(planCluster(settings));
  if (!node) throw new Error("the plan has no node");
  const accounts: Accounts = {
    systemUser: settings.systemUser,
    accounts: planAccounts(settings),
    hashes: {
      [settings.systemUser]: await hashPassword("sys", "owner", "$SYS", settings.systemUser),
      user: await hashPassword("user", "owner", "APP", "user"),
    },
    managers: args.managers,
  };
  // Its routes lead to nobody, so that it has no meta group, which no login needs.
  const { clientAdvertise: _, advertised: __, ...conf } = node.conf;
  const text = renderNodeConf(conf)
    .replaceAll(CONFIG_DIR, folder)
    .replace('"port": 4222', `"host": "127.0.0.1"\n"port": ${ports.client}`)
    .replace('"port": 6222', '"host": "127.0.0.1"\n"port": -1')
    .replace(`"port": ${WEBSOCKET_PORT}`, `"port": ${ports.websocket}`)
    .replace(`"port": ${MQTT_PORT}`, `"port": ${ports.mqtt}`)
    .replace('"/data"', `"${folder}/data"`);
  const log = `"log_file": "${path.join(folder, "log")}"\n`;
  const texts = {
    ...args.files,
    "accounts.conf": renderAccountsConf(accounts),
    "nats.conf": `${log}${text}`,
  };
  for (const [name, content] of Object.entries(texts)) {
    await writeFile(path.join(folder, name), content);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectPlain(port, "127.0.0.1");
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}
