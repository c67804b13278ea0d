import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Commands that the CLI writes most about. */
const CHATTY = new Set(["up", "update", "preview", "refresh", "destroy"]);

/** What commands add to, and others read. */
const SHARED = ["plugins", "workspaces"];

/**
 * Gives the CLI a folder in the place of its own, with all that is in that one but its logs. Into these, it (3.259)
 * writes all that it does, at the finest level and encrypted, for `pulumi logs share`: a third of its CPU time in a
 * preview, and of its memory; and there is no setting against it. Where it can have no log file, it goes without.
 *
 * @param {string | undefined} command that it is given
 * @param {{ backend: string | undefined, home: string, folder: string }} where `backend`: of the stack; with
 *   others than files, the CLI writes credentials into its home, which replaces links. `folder`: for what is made.
 * @returns {Record<string, string>} the variables that name it; none where the CLI should log, or the folder can't be
 *   made.
 */
export function homeWithoutLogs(command, { backend, home, folder }) {
  if (!CHATTY.has(command ?? "") || !backend?.startsWith("file:")) return {};
  const digest = createHash("sha256").update(home).digest("hex").slice(0, 8);
  const instead = path.join(folder, `pulumi-home-${digest}`);
  try {
    for (const made of [instead, ...SHARED.map((name) => path.join(home, name))]) {
      fs.mkdirSync(made, { recursive: true });
    }
    for (const name of fs.readdirSync(home)) {
      if (name !== "logs") link(path.join(home, name), path.join(instead, name));
    }
    link("/dev/null", path.join(instead, "logs"));
  } catch {
    return {};
  }
  return { PULUMI_HOME: instead };
}

/**
 * @param {string} target
 * @param {string} file
 */
function link(target, file) {
  try {
    fs.symlinkSync(target, file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
}
