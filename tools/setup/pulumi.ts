import { chmod, copyFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { cliOnPath, findCli, pinnedCli, versions } from "../../cli/pulumi/project.mjs";
import type { Step } from "../../cli/terminal/log.ts";
import { download } from "./download.ts";
import { type GoProgram, goModuleFolder, goPrograms } from "./go.ts";
import { isExecutable, type Machine } from "./machine.ts";
import { firstOf, type Part, type Way } from "./part.ts";
import { ask } from "./process.ts";
import { fromSource, goRemedy } from "./source.ts";
import { install } from "./staged.ts";
import { serves } from "./version.ts";

const LANGUAGE_HOST = "pulumi-language-nodejs";
const DYNAMIC_PROVIDERS = "pulumi-resource-pulumi-nodejs";

/** The CLI, what it needs to run TypeScript, and its plugins. */
export function pulumiParts(machine: Machine): Part[] {
  const release = new PulumiReleases();
  return [
    cli(machine, release),
    languageHost(machine),
    plugin(machine, release, "docker", versions.dockerPlugin, goPrograms.dockerPlugin),
    plugin(machine, release, "command", versions.commandPlugin, goPrograms.commandPlugin),
  ];
}

/** Remembers a failed download, because a firewall that blocks one of Pulumi's releases blocks all of them. */
class PulumiReleases {
  #failure: string | undefined;

  way(take: Way["take"]): Way {
    return {
      name: "official release",
      doing: "downloading the official release",
      done: "downloaded",
      hopeless: () => this.#failure,
      take: async (step) => {
        try {
          await take(step);
        } catch (error) {
          this.#failure = (error as Error).message;
          throw error;
        }
      },
    };
  }
}

function cli(machine: Machine, release: PulumiReleases): Part {
  const place = pinnedCli(machine.env);
  return {
    label: `Pulumi CLI ${versions.pulumi}`,
    find: async () => (await isExecutable(place)) || (await otherCliFits(machine.env)),
    provide: releaseOrSource(machine, goPrograms.pulumi, [
      release.way((step) => {
        const folder = dirname(dirname(place));
        return install(folder, async (draft) => {
          const launcher = `--package=pulumi@${versions.pulumi}`;
          const command = ["npm", "exec", "--yes", launcher, "--", "pulumi", "version"] as const;
          const settings = { PULUMI_HOME: draft, PULUMI_VERSION: versions.pulumi };
          await download(machine, step, command, draft, settings);
          return join(draft, "versions", basename(folder));
        });
      }),
      fromSource(machine, goPrograms.pulumi, place),
    ]),
  };
}

/** Whether a CLI that the user installed is recent enough and has its language host next to it. */
async function otherCliFits(env: NodeJS.ProcessEnv): Promise<boolean> {
  const found = cliOnPath(env);
  if (!found || !(await isExecutable(join(dirname(found), LANGUAGE_HOST)))) return false;
  const { ok, stdout } = await ask(found, ["version"], {
    ...env,
    PULUMI_SKIP_UPDATE_CHECK: "true",
  });
  return ok && serves(stdout, versions.pulumi);
}

/** The language host and the script for dynamic providers. They come with the official CLI and are next to it. */
function languageHost(machine: Machine): Part {
  const beside = (program: string) => join(dirname(currentCli(machine)), program);
  return {
    label: "Pulumi for Node.js",
    find: async () =>
      (await isExecutable(beside(LANGUAGE_HOST))) &&
      (await isExecutable(beside(DYNAMIC_PROVIDERS))),
    provide: (step) => {
      const host = fromSource(machine, goPrograms.languageHost, beside(LANGUAGE_HOST));
      const take = async () => {
        await host.take(step);
        await install(beside(DYNAMIC_PROVIDERS), (draft) => copyDynamicProviders(machine, draft));
      };
      return releaseOrSource(machine, goPrograms.languageHost, [{ ...host, take }])(step);
    },
  };
}

/** The CLI in use, or the one that will be installed. */
function currentCli({ env }: Machine): string {
  return findCli(env) ?? pinnedCli(env);
}

async function copyDynamicProviders(machine: Machine, draft: string): Promise<string> {
  const sdk = await goModuleFolder(
    machine,
    goPrograms.languageHost,
    "github.com/pulumi/pulumi/sdk/v3",
  );
  const copy = join(draft, DYNAMIC_PROVIDERS);
  await copyFile(join(sdk, "nodejs", "dist", DYNAMIC_PROVIDERS), copy);
  await chmod(copy, 0o755);
  return copy;
}

function plugin(
  machine: Machine,
  release: PulumiReleases,
  name: string,
  version: string,
  program: GoProgram,
): Part {
  const folder = `resource-${name}-v${version}`;
  const place = join(machine.folders.pulumi, "plugins", folder);
  const binary = `pulumi-resource-${name}`;
  return {
    label: `Plugin ${name} ${version}`,
    find: () => isExecutable(join(place, binary)),
    provide: releaseOrSource(machine, program, [
      release.way((step) =>
        install(place, async (draft) => {
          const command = [
            currentCli(machine),
            "plugin",
            "install",
            "resource",
            name,
            version,
          ] as const;
          await download(machine, step, command, draft, { PULUMI_HOME: draft });
          return join(draft, "plugins", folder);
        }),
      ),
      fromSource(machine, program, place, binary),
    ]),
  };
}

function releaseOrSource(machine: Machine, program: GoProgram, ways: readonly Way[]) {
  return (step: Step) =>
    firstOf(ways, step, machine, () =>
      goRemedy(program, "let this machine reach Pulumi's release host"),
    );
}
