import type { ChildProcess } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { endServer, readPage, whenItAnswers } from "./answering-server.ts";
import { freePorts } from "./own-ports.ts";
import { startProcess } from "./server-process.ts";

/** A nats-server process with JetStream and any config, as somebody else may run it. */
export class PlainServer implements AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, address: string) {
    this.#folder = folder;
    this.address = address;
    this.#process = startProcess(["-c", path.join(folder, "nats.conf")]);
  }

  /**
   * @param config what it has besides its address and JetStream, in NATS's format. `{folder}` is where `files` are.
   * @param files contents by name.
   * @param name of the server.
   */
  static async start(
    config: string,
    files: Readonly<Record<string, string>> = {},
    name = "plain",
  ): Promise<PlainServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
    const [client = 0, monitor = 0] = await freePorts(2);
    const head = `server_name: "${name}"\nlisten: "127.0.0.1:${client}"\nhttp: "127.0.0.1:${monitor}"\njetstream { store_dir: "${folder}" }\n`;
    const all = { ...files, "nats.conf": head + config.replaceAll("{folder}", folder) };
    for (const [file, text] of Object.entries(all)) await writeFile(path.join(folder, file), text);
    const server = new PlainServer(folder, `127.0.0.1:${client}`);
    await whenItAnswers(() => readPage(`http://127.0.0.1:${monitor}/varz`));
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endServer(this.#process, this.#folder);
  }
}
