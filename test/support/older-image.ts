import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";

/** Milliseconds that a pull of 10 MB may take. */
const PULL_LIMIT = 120_000;

/** Makes sure that the engine has an image of another version: the official one, or one built from source. */
export async function provideImage(version: string): Promise<string> {
  const image = `nats:${version}`;
  const has = await execa("docker", ["image", "inspect", image], { reject: false });
  if (has.exitCode === 0) return image;
  const pull = await execa("docker", ["pull", image], { reject: false, timeout: PULL_LIMIT });
  if (pull.exitCode !== 0) await buildImage(version, image);
  return image;
}

async function buildImage(version: string, image: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "nats-regions-image-"));
  try {
    const { stdout: arch } = await execa("docker", ["version", "--format={{.Server.Arch}}"]);
    await buildServer(version, folder, { GOOS: "linux", GOARCH: arch });
    await execa("tar", ["-cf", "image.tar", "nats-server"], { cwd: folder });
    const entrypoint = 'ENTRYPOINT ["/nats-server"]';
    await execa("docker", ["import", `--change=${entrypoint}`, "image.tar", image], {
      cwd: folder,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds `nats-server` into a folder, for this machine or for `target`. */
export async function buildServer(
  version: string,
  folder: string,
  target: Readonly<Record<string, string>> = {},
): Promise<void> {
  const env = { CGO_ENABLED: "0", GOFLAGS: "-trimpath", ...target };
  const server = "github.com/nats-io/nats-server/v2";
  await execa("go", ["mod", "init", "server"], { cwd: folder });
  await execa("go", ["get", `${server}@v${version}`], { cwd: folder });
  await execa("go", ["build", "-o", "nats-server", server], { cwd: folder, env });
}
