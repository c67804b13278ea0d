import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { project, versions } from "../../cli/pulumi/project.mjs";
import type { Step } from "../../cli/terminal/log.ts";
import { type Machine, onPath } from "./machine.ts";
import { CommandError, run } from "./process.ts";

/** A program that can be built with modules from the Go module proxy. */
export interface GoProgram {
  /** The folder below toolchain/ whose go.mod pins the program's source. */
  readonly folder: string;
  readonly package: string;
  /** The variable that the linker sets, and its value, the version. */
  readonly version?: readonly [variable: string, value: string];
  readonly tags?: string;
}

export const goPrograms = {
  pulumi: {
    folder: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", `v${versions.pulumi}`],
  },
  languageHost: {
    folder: "language-nodejs",
    package: ".",
  },
  dockerPlugin: {
    folder: "docker-plugin",
    package: ".",
    version: ["main.version", versions.dockerPlugin],
    tags: "no_compose",
  },
  commandPlugin: {
    folder: "command-plugin",
    package: ".",
    version: ["main.version", versions.commandPlugin],
  },
  natsServer: {
    folder: "nats-server",
    package: "github.com/nats-io/nats-server/v2",
  },
  natsCli: {
    folder: "nats-cli",
    package: "github.com/nats-io/natscli/nats",
    version: ["main.version", versions.natsCli],
  },
} satisfies Record<string, GoProgram>;

/** Builds a program into a file. */
export async function goBuild(
  { env, signal }: Machine,
  program: GoProgram,
  output: string,
  { step, platform = {} }: { step: Step; platform?: { GOOS?: string; GOARCH?: string } },
): Promise<void> {
  const go = await requireGo(env);
  const [variable, value] = program.version ?? [];
  const linker = variable ? `-s -w -X ${variable}=${value}` : "-s -w";
  const flags = [
    ...["-trimpath", "-buildvcs=false", "-mod=readonly"],
    ...(program.tags ? ["-tags", program.tags] : []),
  ];
  const options = {
    cwd: join(project, "tools", "toolchain", program.folder),
    env: { GOGC: garbageCollection(), ...env, ...platform, CGO_ENABLED: "0", GOWORK: "off" },
    signal,
  };
  const stale = ["list", "-deps", ...flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"];
  const all = new GoOutput((text) => step.detail(text));
  await run(go, [...stale, program.package], { ...options, onLine: (line) => all.read(line) });
  const built = new GoOutput((text) => step.detail(text), all.packages);
  await run(go, ["build", "-v", ...flags, "-ldflags", linker, "-o", output, program.package], {
    ...options,
    onLine: (line) => built.read(line),
  });
}

/** Go's output, a line for each package, and before that for each module that is downloaded. */
export class GoOutput {
  packages = 0;
  readonly #detail: (text: string) => void;
  readonly #of: number | undefined;

  /**
   * @param detail shows how far it has come.
   * @param of how many packages there are to compile. Default: the packages are only counted.
   */
  constructor(detail: (text: string) => void, of?: number) {
    this.#detail = detail;
    this.#of = of;
  }

  read(line: string): void {
    const download = line.match(/^go: downloading (\S+)/)?.[1];
    if (!download) this.packages++;
    const [built, all] = [this.packages, this.#of].map((count) => count?.toLocaleString("en"));
    if (download) this.#detail(`fetching ${download}`);
    else if (all) this.#detail(`${built} of ${all} packages compiled`);
  }
}

/** With enough memory, collecting garbage less often makes the compiler a quarter faster. */
function garbageCollection(): string {
  return totalmem() > 8e9 ? "400" : "100";
}

/** The folder of a module's source in Go's cache. */
export async function goModuleFolder(
  { env, signal }: Machine,
  program: GoProgram,
  module: string,
): Promise<string> {
  let json = "";
  await run(await requireGo(env), ["mod", "download", "-json", module], {
    cwd: join(project, "tools", "toolchain", program.folder),
    env: { ...env, GOWORK: "off" },
    signal,
    onLine: (line) => {
      json += line;
    },
  });
  return JSON.parse(json).Dir;
}

/** The oldest Go version that can build a program, from its go.mod: `1.26`. */
export async function goVersionFor(program: GoProgram): Promise<string> {
  const text = await readFile(
    join(project, "tools", "toolchain", program.folder, "go.mod"),
    "utf8",
  );
  return text.match(/^go (\d+\.\d+)/m)?.[1] ?? "";
}

async function requireGo(env: NodeJS.ProcessEnv): Promise<string> {
  const go = await onPath("go", env);
  if (!go) throw new CommandError("Go is not installed");
  return go;
}
