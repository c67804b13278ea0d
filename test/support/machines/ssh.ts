/** How the operator gets into the machines by ssh, with keys of this run. `~/.ssh` is neither read nor written. */
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";

export const USER = "nats";

export class Ssh {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<Ssh> {
    const ssh = new Ssh(folder);
    await mkdir(ssh.#in("bin"), { recursive: true });
    await newKey(ssh.#in("key"), "operator");
    await writeFile(ssh.#in("known_hosts"), "");
    await writeFile(ssh.config, ssh.#configText());
    const { stdout: program } = await execa("which", ["ssh"]);
    const shim = `#!/bin/sh\nexec ${program} -F ${ssh.config} "$@"\n`;
    await writeFile(ssh.#in("bin/ssh"), shim, { mode: 0o755 });
    return ssh;
  }

  /** `ssh -F` with this file reaches the machines. */
  get config(): string {
    return this.#in("config");
  }

  /** Variables by which `docker`, Pulumi and others find an `ssh` that reaches the machines, and knows no other host. */
  get environment(): Readonly<Record<"PATH", string>> {
    return { PATH: `${this.#in("bin")}:${process.env.PATH}` };
  }

  /** The public key that a machine lets in. */
  async authorizedKey(): Promise<string> {
    return readFile(this.#in("key.pub"), "utf8");
  }

  /** Makes the key by which a machine is known at its addresses. @param file where the machine has it. */
  async newHostKey(file: string, addresses: readonly string[]): Promise<void> {
    const names = addresses.join(",");
    await newKey(file, names);
    await appendFile(this.#in("known_hosts"), `${names} ${await readFile(`${file}.pub`, "utf8")}`);
  }

  #configText(): string {
    return [
      `User ${USER}`,
      `IdentityFile ${this.#in("key")}`,
      "IdentitiesOnly yes",
      `UserKnownHostsFile ${this.#in("known_hosts")}`,
      "GlobalKnownHostsFile none",
      "StrictHostKeyChecking yes",
      "",
    ].join("\n");
  }

  #in(name: string): string {
    return path.join(this.#folder, name);
  }
}

async function newKey(file: string, comment: string): Promise<void> {
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}
