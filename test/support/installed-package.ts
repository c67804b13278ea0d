/** Set-up of the tests of users' programs: packs the package, and installs it once for all of them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import type { TestProject } from "vitest/node";
import { pack } from "../../tools/package/pack.ts";

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
    installedPackage: InstalledPackage;
  }
}

export default async function setUp({ provide }: TestProject): Promise<() => void> {
  const made = mkdtempSync(path.join(tmpdir(), "nats-regions-package-"));
  const remove = () => rmSync(made, { recursive: true, force: true });
  try {
    const manifest = JSON.parse(readFileSync(path.join(PROJECT, "package.json"), "utf8"));
    const versions = { ...manifest.dependencies, ...manifest.devDependencies };
    const beside = BESIDE.map((name) => [name, versions[name]]);
    const dependencies = { ...Object.fromEntries(beside), "nats-regions": await pack(made) };
    const folder = path.join(made, "installed");
    mkdirSync(folder);
    writeFileSync(path.join(folder, "package.json"), JSON.stringify({ dependencies }));
    await execa("npm", INSTALL, { cwd: folder });
    provide("installedPackage", { folder, dependencies });
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
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
