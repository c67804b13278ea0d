/** Makes the package that others install: compiled JavaScript and types, as node strips no types below node_modules. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";

const PROJECT = path.resolve(import.meta.dirname, "../..");
const DIST = path.join(PROJECT, "dist");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What others may import, by its name below the package's. */
const EXPORTS = { "./planner": "./lib/planner" };

/**
 * Compiles the package and packs it.
 *
 * @param folder where the tarball is to go
 * @returns path of the tarball
 */
export async function pack(folder: string): Promise<string> {
  await rm(DIST, { recursive: true, force: true });
  await execa("tsc", ["-p", "tsconfig.build.json"], { cwd: PROJECT, preferLocal: true });
  const manifest = JSON.parse(await readFile(path.join(PROJECT, "package.json"), "utf8"));
  const packed = JSON.stringify(manifestOf(manifest, await importsIn(DIST)), null, 2);
  await writeFile(path.join(DIST, "package.json"), `${packed}\n`);
  const args = ["pack", DIST, "--json", "--pack-destination", folder];
  const { stdout } = await execa("npm", args, { cwd: PROJECT });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return path.join(folder, filename);
}

function manifestOf(
  { name, version, description, license, dependencies }: Manifest,
  imports: ReadonlySet<string>,
) {
  const used = Object.entries(dependencies).filter(([dependency]) => imports.has(dependency));
  const exports = Object.entries(EXPORTS).map(([entry, file]) => [
    entry,
    { types: `${file}.d.ts`, default: `${file}.js` },
  ]);
  return {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=22" },
    exports: Object.fromEntries(exports),
    dependencies: Object.fromEntries(used),
  };
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
    [...text.matchAll(/(?:from|import\() ?"([^".][^"]*)"/g)].map(([, specifier = ""]) => specifier),
  );
  return new Set(specifiers.map((specifier) => packageOf(specifier)));
}

/** E.g. `@nats-io/nkeys` of `@nats-io/nkeys/lib/codec.js`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
