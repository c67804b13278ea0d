import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import type { Direction } from "./directions.ts";
import { type NamespaceProcess, startInNamespaces } from "./processes.ts";

const PROGRAM = path.join(import.meta.dirname, "wan.py");

/** The process of `wan.py`, and with it the network namespace of a router. */
export class Wan implements AsyncDisposable {
  readonly #process: NamespaceProcess;
  readonly #file: string;
  readonly #lines: AsyncIterator<string>;
  #last: Promise<void> = Promise.resolve();

  private constructor(started: NamespaceProcess, file: string) {
    this.#process = started;
    this.#file = file;
    this.#lines = createInterface(started.stdout)[Symbol.asyncIterator]();
  }

  /** @param folder for its file. */
  static async start(folder: string): Promise<Wan> {
    const file = path.join(folder, "wan.json");
    await writeFile(file, "[]");
    const wan = new Wan(startInNamespaces(["--net"], ["python3", PROGRAM, file]), file);
    await wan.#isInForce();
    return wan;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves when all packets are treated so, those on their way, too. */
  apply(table: readonly Direction[]): Promise<void> {
    // One after the other: of two signals at once the kernel keeps one.
    const applied = this.#last.then(async () => {
      await writeFile(`${this.#file}.new`, `${JSON.stringify(table, undefined, 1)}\n`);
      await rename(`${this.#file}.new`, this.#file);
      this.#process.kill("SIGHUP");
      await this.#isInForce();
    });
    this.#last = applied.catch(() => {});
    return applied;
  }

  /** Runs a command in the router's network namespace. */
  async run(command: readonly string[], input = ""): Promise<void> {
    await execa("nsenter", [`--target=${this.pid}`, "--net", "--", ...command], { input });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process;
  }

  async #isInForce(): Promise<void> {
    const { done } = await this.#lines.next();
    if (!done) return;
    const { shortMessage, stderr } = await this.#process;
    throw new Error(`wan.py ended: ${stderr || shortMessage}`);
  }
}
