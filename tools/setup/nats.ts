import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createTar } from "nanotar";
import { versions } from "../../cli/pulumi/project.mjs";
import { type GoProgram, goBuild, goPrograms } from "./go.ts";
import { type Machine, onPath } from "./machine.ts";
import { firstOf, type Part, type Way } from "./part.ts";
import { ask, run } from "./process.ts";
import { fromSource, goRemedy } from "./source.ts";
import { inDraft, install } from "./staged.ts";
import { serves } from "./version.ts";

/** The pinned image. It is built if it can't be pulled. */
export const PINNED_IMAGE = `nats:${versions.natsServer}`;

/** Milliseconds that a pull of 10 MB may take. */
const PULL_LIMIT = 120_000;

/** The server image, in the engine. */
export function imagePart(machine: Machine): Part {
  const { env, signal } = machine;
  const pull: Way = {
    name: "docker pull",
    doing: "pulling",
    done: "pulled",
    take: (step) =>
      run("docker", ["pull", PINNED_IMAGE], {
        env,
        signal,
        timeout: PULL_LIMIT,
        onLine: (line) => step.detail(line),
      }),
  };
  const build: Way = {
    name: "from source",
    doing: "building from source",
    done: "built from source",
    take: (step) =>
      inDraft(machine.folders.cache, async (draft) => {
        const program = join(draft, "nats-server");
        const platform = { GOOS: "linux", GOARCH: await engineArchitecture(machine) };
        await goBuild(machine, goPrograms.natsServer, program, { step, platform });
        await importImage(machine, program, PINNED_IMAGE);
      }),
  };
  return {
    label: `Image ${PINNED_IMAGE}`,
    find: async () => (await ask("docker", ["image", "inspect", PINNED_IMAGE], env)).ok,
    provide: (step) =>
      firstOf([pull, build], step, machine, () =>
        goRemedy(goPrograms.natsServer, "let this machine reach the image's registry"),
      ),
  };
}

async function engineArchitecture({ env }: Machine): Promise<string> {
  return (await ask("docker", ["version", "--format={{.Server.Arch}}"], env)).stdout;
}

/**
 * Creates an image with one static program, laid out like the official one. It uses `docker import`, which works with
 * any engine and client; `docker build` needs a builder, which not every Docker has.
 */
async function importImage(
  { env, signal }: Machine,
  program: string,
  image: string,
): Promise<void> {
  const data = await readFile(program);
  const input = createTar([{ name: "nats-server", data, attrs: { mode: "755" } }]);
  const changes = ['ENTRYPOINT ["/nats-server"]', "EXPOSE 4222 6222 8222"];
  const message = "nats-server, built from source by nats-regions";
  const options = [...changes.map((change) => `--change=${change}`), `--message=${message}`];
  await run("docker", ["import", ...options, "-", image], {
    env,
    signal,
    input,
  });
}

/** nats-server and nats as programs, which the benchmark and the tests run outside of containers. */
export function natsPrograms(machine: Machine): { server: Part; cli: Part } {
  return {
    server: programPart(machine, {
      name: "nats-server",
      version: versions.natsServer,
      fits: (version) => version === versions.natsServer,
      source: goPrograms.natsServer,
      shortcuts: [fromImage(machine)],
    }),
    cli: programPart(machine, {
      name: "nats",
      version: versions.natsCli,
      fits: (version) => serves(version, versions.natsCli),
      source: goPrograms.natsCli,
    }),
  };
}

interface Program {
  readonly name: string;
  readonly version: string;
  readonly fits: (version: string) => boolean;
  readonly source: GoProgram;
  /** Ways that are faster than a build. */
  readonly shortcuts?: readonly Way[];
}

function programPart(
  machine: Machine,
  { name, version, fits, source, shortcuts = [] }: Program,
): Part {
  const place = join(machine.folders.bin, name);
  const isFit = async (file: string) => fits(await versionOf(file, machine.env));
  const ways = [fromPath(machine, name, isFit), ...shortcuts, fromSource(machine, source, place)];
  return {
    label: `${name} ${version}`,
    find: () => isFit(place),
    provide: (step) =>
      firstOf(ways, step, machine, () => goRemedy(source, `put ${name} ${version} on PATH`)),
  };
}

/** The version of nats-server (`nats-server: v2.15.2`) or nats (`0.5.1`). */
async function versionOf(file: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await ask(file, ["--version"], env);
  return stdout.match(/v?(\d+\.\d+\.\d+\S*)$/)?.[1] ?? "";
}

function fromPath(
  { env, folders }: Machine,
  name: string,
  isFit: (file: string) => Promise<boolean>,
): Way {
  return {
    name: "on PATH",
    done: "found on PATH",
    async take() {
      const found = await onPath(name, env);
      if (!found || !(await isFit(found))) throw new Error(`no ${name} that fits`);
      await install(join(folders.bin, name), async (draft) => {
        const link = join(draft, name);
        await symlink(found, link);
        return link;
      });
    },
  };
}

/** Copies the program out of the image, if the engine has it for this machine. */
function fromImage({ env, signal, folders }: Machine): Way {
  return {
    name: "out of the image",
    doing: "copying out of the image",
    done: "copied out of the image",
    take: () =>
      install(join(folders.bin, "nats-server"), async (draft) => {
        const copy = join(draft, "nats-server");
        const {
          ok,
          stdout: id,
          stderr,
        } = await ask("docker", ["create", "--pull=never", PINNED_IMAGE], env);
        if (!ok) throw new Error(stderr.split("\n").at(-1));
        try {
          await run("docker", ["cp", `${id}:/nats-server`, copy], { env, signal });
        } finally {
          await ask("docker", ["rm", id], env);
        }
        if (!(await versionOf(copy, env))) throw new Error("made for another machine");
        return copy;
      }),
  };
}
