/** Builds the package: compiled JavaScript and types, because node doesn't strip types below node_modules. */
import { cp, glob, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";

const PROJECT = path.resolve(import.meta.dirname, "../..");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly exports: Readonly<Record<"." | `./${string}`, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Packages that must be the program's own instances, so they are peer dependencies. `nats-regions/planner` needs none
 * of them.
 */
const PEERS = "@pulumi/";

/** Files that the README links to. */
const DOCUMENTS = "docs/**/*.{md,svg}";

/** Scripts that modules of the package start; see `include` of tsconfig.build.json. */
const SCRIPTS = ["{components,lib,live,providers,run}/**/*.sh", "live/engine/ssh/ssh"];

/**
 * Compiles the package and packs it.
 *
 * @param folder for the tarball; nothing else may use it meanwhile.
 * @returns path of the tarball.
 */
export async function pack(folder: string): Promise<string> {
  const dist = path.join(folder, "dist");
  const build = ["--project", "tsconfig.build.json", "--outDir", dist];
  await execa("tsc", build, { cwd: PROJECT, preferLocal: true });
  for await (const file of glob(["README.md", "LICENSE", DOCUMENTS, ...SCRIPTS], {
    cwd: PROJECT,
  })) {
    await cp(path.join(PROJECT, file), path.join(dist, file));
  }
  const manifest = JSON.parse(await readFile(path.join(PROJECT, "package.json"), "utf8"));
  const packed = JSON.stringify(manifestOf(manifest, await importsIn(dist)), null, 2);
  await writeFile(path.join(dist, "package.json"), `${packed}\n`);
  const args = ["pack", dist, "--json", "--pack-destination", folder];
  const { stdout } = await execa("npm", args, { cwd: PROJECT });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await rm(dist, { recursive: true });
  return path.join(folder, filename);
}

function manifestOf(
  { name, version, description, license, exports, dependencies }: Manifest,
  imports: ReadonlySet<string>,
) {
  const used = Object.entries(dependencies).filter(([dependency]) => imports.has(dependency));
  const peers = used.filter(([dependency]) => dependency.startsWith(PEERS));
  const own = used.filter((each) => !peers.includes(each));
  const entries = Object.fromEntries(
    Object.entries(exports).map(([entry, file]) => [entry, compiled(file)]),
  );
  const { types, default: main } = compiled(exports["."]);
  return {
    name,
    version,
    description,
    license,
    type: "module",
    // From this version on, CommonJS modules can `require` an ES module.
    engines: { node: ">=22.12" },
    // For compilers that ignore `exports`.
    main,
    types,
    exports: entries,
    dependencies: Object.fromEntries(own),
    peerDependencies: Object.fromEntries(peers.map(([peer, version]) => [peer, `^${version}`])),
    peerDependenciesMeta: Object.fromEntries(peers.map(([peer]) => [peer, { optional: true }])),
  };
}

/** The compiled file, e.g. for `./lib/planner.ts`. */
function compiled(file: string) {
  const stem = file.replace(/\.ts$/, "");
  return { types: `${stem}.d.ts`, default: `${stem}.js` };
}

/** The packages that compiled files import, by name. */
async function importsIn(folder: string): Promise<ReadonlySet<string>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files
      .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
      .map((entry) => readFile(path.join(entry.parentPath, entry.name), "utf8")),
  );
  const specifiers = texts.flatMap((text) =>
    [...text.matchAll(/(?:from|import)[ (]"([^".][^"]*)"/g)].map(([, specifier = ""]) => specifier),
  );
  return new Set(specifiers.map((specifier) => packageOf(specifier)));
}

/** The package of an import specifier, e.g. `@nats-io/nkeys` of `@nats-io/nkeys/lib/codec.js`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
