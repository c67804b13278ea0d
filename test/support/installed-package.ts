/** Set-up of the tests of users' programs: packs the package, and installs it once for all of them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { pack } from "../../tools/package/pack.ts";
import { eventually } from "./eventually.ts";

const PROJECT = path.resolve(import.meta.dirname, "../..");

/** Packages that a program installs besides this one, in the versions that are installed here. */
const BESIDE = ["@pulumi/command", "@pulumi/docker", "@pulumi/pulumi", "@types/node", "typescript"];

const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund"];

/** A project whose packages programs begin with. */
export interface InstalledPackage {
  readonly folder: string;
  /** By name: versions, and the tarball of this package. */
  readonly dependencies: Readonly<Record<string, string>>;
}

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the file that {@link installedPackage} waits for. */
    installedPackage: string;
  }
}

type Result = { readonly installed: InstalledPackage } | { readonly failure: string };

/** Other tests begin while it works, for a quarter of a minute. */
export default function setUp({ provide }: TestProject): () => Promise<void> {
  const made = mkdtempSync(path.join(tmpdir(), "nats-regions-package-"));
  const file = path.join(made, "result.json");
  provide("installedPackage", file);
  const work = install(made)
    .catch((error: unknown): Result => ({ failure: String(error) }))
    .then((result) => {
      writeFileSync(`${file}.part`, JSON.stringify(result));
      renameSync(`${file}.part`, file);
    });
  return async () => {
    await work;
    rmSync(made, { recursive: true, force: true });
  };
}

async function install(made: string): Promise<Result> {
  const manifest = JSON.parse(readFileSync(path.join(PROJECT, "package.json"), "utf8"));
  const versions = { ...manifest.dependencies, ...manifest.devDependencies };
  const beside = BESIDE.map((name) => [name, versions[name]]);
  const dependencies = { ...Object.fromEntries(beside), "nats-regions": await pack(made) };
  const folder = path.join(made, "installed");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ dependencies }));
  await execa("npm", INSTALL, { cwd: folder });
  return { installed: { folder, dependencies } };
}

/** Milliseconds within which the package is packed and installed, also beside other tests. */
const LONGEST_MS = 200_000;

/** The package once it is installed. @throws Error if that failed. */
export async function installedPackage(): Promise<InstalledPackage> {
  const file = inject("installedPackage");
  await eventually(async () => existsSync(file), LONGEST_MS);
  const result: Result = JSON.parse(readFileSync(file, "utf8"));
  if ("failure" in result) throw new Error(`the package can't be installed: ${result.failure}`);
  return result.installed;
}

/** Gives a folder all packages, as npm would for a package.json with all of {@link InstalledPackage.dependencies}. */
export async function installInto(folder: string, { folder: from }: InstalledPackage) {
  const files = ["node_modules", "package-lock.json"].map((name) => path.join(from, name));
  // Hard links: programs change no file of a package.
  await execa("cp", ["-al", ...files, folder]);
}

/** Leaves a folder the packages that its package.json names. */
export async function prune(folder: string) {
  await execa("npm", INSTALL, { cwd: folder });
}
