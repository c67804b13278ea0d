import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const SCRIPT = `#!/bin/sh
if [ -f "$0-fails" ]; then cat "$0-fails" >&2; exit 1; fi
cat "$0-$1" 2>/dev/null || true
`;

/** Fake commands at the start of PATH. They print what a test has configured; by default nothing. */
export class FakeCommands implements Disposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "nats-regions-fake-"));
  readonly #path = process.env.PATH ?? "";

  constructor(...names: readonly string[]) {
    for (const name of names) {
      writeFileSync(path.join(this.#folder, name), SCRIPT);
      chmodSync(path.join(this.#folder, name), 0o755);
    }
    process.env.PATH = [this.#folder, this.#path].join(path.delimiter);
  }

  /** Sets the output of a command's subcommand, e.g. `docker`, `ps`: rows for JSON formats, or text. */
  answer(command: string, subcommand: string, rows: string | readonly object[]): void {
    const text =
      typeof rows === "string" ? rows : rows.map((row) => JSON.stringify(row)).join("\n");
    writeFileSync(path.join(this.#folder, `${command}-${subcommand}`), text);
  }

  /** Makes a command fail from now on. */
  complain(command: string, words: string): void {
    writeFileSync(path.join(this.#folder, `${command}-fails`), words);
  }

  [Symbol.dispose](): void {
    process.env.PATH = this.#path;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
