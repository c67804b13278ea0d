// Runs on any node from 18, and in a clone without node_modules. All other code is TypeScript, started by cli/main.ts.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { exec } from "./pulumi/exec.mjs";
import { createLog } from "./terminal/steps.mjs";
import { SUMMARIES } from "./terminal/summaries.mjs";

const project = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(project, "node_modules");
const bin = path.join(modules, ".bin");

/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean }>} Packages By their places. */

const args = process.argv.slice(2);
const asksForHelp = args.length === 0 || ["help", "-h", "--help"].includes(args[0] ?? "");
// The library that prints the help isn't installed yet, and asking for help mustn't install anything.
if (asksForHelp && !packagesAreInstalled()) {
  const lines = Object.entries(SUMMARIES).map(([name, what]) => `  ${name.padEnd(9)}${what}`);
  console.log(`Usage: npm run <command> -- [options]

Commands:
${lines.join("\n")}

Each installs the npm packages first, and has its options in a help of its own: npm run plan -- --help`);
  process.exit();
}

try {
  if (!packagesAreInstalled()) await installPackages();
  const main = path.join(project, "cli", "main.ts");
  const env = { ...process.env, PATH: [bin, process.env.PATH].join(path.delimiter) };
  // Node 22 prints a warning at each start with TypeScript.
  await exec(nodeForTypeScript(), ["--disable-warning=ExperimentalWarning", main, ...args], env);
} catch (error) {
  console.error(`\n${/** @type {Error} */ (error).message}`);
  process.exit(1);
}

/** npm writes its own lock file into node_modules as the last step of an install. */
function packagesAreInstalled() {
  const wanted = readPackages(path.join(project, "package-lock.json"));
  const installed = readPackages(path.join(modules, ".package-lock.json"));
  return Object.entries(wanted).every(([place, entry]) => {
    const found = installed[place];
    if (place === "" || (!found && entry.optional)) return true;
    return found?.version === entry.version && found?.integrity === entry.integrity;
  });
}

/**
 * @param {string} lockFile
 * @returns {Packages}
 */
function readPackages(lockFile) {
  try {
    return JSON.parse(fs.readFileSync(lockFile, "utf8")).packages;
  } catch {
    return {};
  }
}

async function installPackages() {
  const step = createLog().step("npm packages");
  step.doing("installing what package-lock.json says");
  let { status, output } = await npm("ci");
  // A lock file that was written with a registry mirror may lack the optional packages of other platforms.
  if (output.includes("EUSAGE")) ({ status, output } = await npm("install", "--no-save"));
  if (status !== 0) {
    step.failed("not installed");
    const reason = output.trim().split("\n").slice(0, 12).join("\n");
    throw new Error(`npm could not install the packages:\n${reason || `exit status ${status}`}`);
  }
  step.done("installed");
}

/** @param {string[]} command */
function npm(...command) {
  const underNpm = process.env.npm_execpath;
  const [file, ...prefix] = underNpm ? [process.execPath, underNpm] : ["npm"];
  const options = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  return capture(file, [...prefix, ...command, ...options]);
}

/**
 * @param {string} file
 * @param {readonly string[]} fileArgs
 * @returns {Promise<{ status: number | null, output: string }>}
 */
function capture(file, fileArgs) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, fileArgs, { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, output }));
  });
}

/** This node if it can run TypeScript, else the one that was installed with the packages. */
function nodeForTypeScript() {
  if (process.features.typescript) return process.execPath;
  const packaged = path.join(bin, "node");
  if (fs.existsSync(packaged)) return packaged;
  throw new Error(
    `Node ${process.versions.node} is too old and the npm package "node" did not install one.\n` +
      "Install Node 22.18 or newer, then repeat the command.",
  );
}
