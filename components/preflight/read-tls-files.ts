import { readFileSync } from "node:fs";
import { isLoopback } from "../../lib/base/addresses.ts";
import { PlanError, type Problem } from "../../lib/base/errors.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import { checkTlsFiles, type NodeCertificate } from "../../lib/tls/own-certificates.ts";
import type { TlsFiles } from "../../lib/tls/tls-settings.ts";
import { loggerOf } from "../logger.ts";
import type { EngineState } from "./inspect-engine.ts";

/** The user's own certificates, PEM. */
export interface TlsTexts {
  readonly ca: string;
  readonly nodes: readonly NodeCertificate[];
}

/**
 * Reads and checks the user's certificates, if the settings name any.
 *
 * @param before the certificates and nodes that exist now.
 * @throws PlanError naming every file that can't be used, but never its contents.
 */
export function readTlsFiles(
  plan: ClusterPlan,
  { tls: running, leaving }: Pick<EngineState, "tls" | "leaving">,
  log = loggerOf(),
): TlsTexts | undefined {
  const { tlsFiles, rollout } = plan;
  if (!tlsFiles) return undefined;
  const texts = readAll(tlsFiles, plan);
  // If all nodes change at once, their new certificates needn't fit the old ones, except for nodes that leave.
  const together = rollout === "all" && leaving.size === 0 ? undefined : running;
  const verdict = checkTlsFiles(texts.ca, texts.nodes, Date.now(), together);
  refuse(verdict.problems);
  for (const notice of verdict.notices) log.warn(notice);
  return texts;
}

function readAll({ ca, cert, key }: TlsFiles, plan: ClusterPlan): TlsTexts {
  const files = new PemFiles();
  const nodes = nodesOf(plan).map(({ name, engine, toldHost }) => ({
    node: name,
    certificate: files.read("tlsFiles.cert", cert.replaceAll("{node}", name)),
    key: files.read("tlsFiles.key", key.replaceAll("{node}", name)),
    // On loopback, clients take what they know, which may be any name.
    hosts: [...new Set([engine?.address ?? [], toldHost ?? []].flat())].filter(
      (host) => !isLoopback(host),
    ),
  }));
  const texts = { ca: files.read("tlsFiles.ca", ca), nodes };
  files.refuse();
  return texts;
}

/** Reads PEM files, and remembers those that can't be read. */
export class PemFiles {
  readonly #problems = new Map<string, Problem>();

  /** @param path of the setting that names the file. */
  read(path: string, file: string): string {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // If the setting holds the key itself instead of a path, the message must not show it.
      const what = file.includes("-----BEGIN") ? "PEM text, as if it were a file's name" : file;
      const message =
        code === "ENOENT" ? `there is no file ${what}` : `can't read ${what}: ${code}`;
      this.#problems.set(file, { path, message });
      return "";
    }
  }

  /** @throws PlanError naming the files that can't be read. */
  refuse(): void {
    refuse([...this.#problems.values()]);
  }
}

export function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new PlanError(problems);
}
