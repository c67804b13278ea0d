import { z } from "zod";
import { isAddress, isHostName, isLoopback } from "../base/addresses.ts";
import type { Problem } from "../base/errors.ts";
import { parseDuration } from "../base/quantities.ts";
import { howToSet, type SettingsPlace } from "../base/settings-place.ts";
import { quoteValue } from "../base/wording.ts";

/** `none`: no TLS. `stack`: an authority of the stack's own. `files`: the user's own certificates. */
export const TLS_MODES = ["none", "stack", "files"] as const;

export type TlsMode = (typeof TLS_MODES)[number];

/** Paths of PEM files, relative to the project; `{node}` stands for a node's name. */
export interface TlsFiles {
  /** The authorities that nodes and clients trust. */
  readonly ca: string;
  /** A node's certificate, followed by its intermediate certificates. */
  readonly cert: string;
  readonly key: string;
}

/** Settings of TLS, after `auto` is resolved. */
export interface TlsSettings {
  readonly tls: TlsMode;
  /** Present if `tls` is `files`. */
  readonly tlsFiles?: TlsFiles;
  /** Lifetime of certificates of the stack's own authority, in nanoseconds. */
  readonly certificateLifetime: number;
  /** Additional host names and addresses by which clients reach any node. */
  readonly certificateNames: readonly string[];
}

const MINUTE = 60e9;
const DAY = 24 * 60 * MINUTE;
/** In nanoseconds. The authority is renewed while it is still valid for longer, so no certificate outlives it. */
const LONGEST_LIFETIME = 1095 * DAY;

function path(of: string) {
  return z.string().min(1).optional().describe(of);
}

/** The schema of `tlsFiles`. All files are optional here; {@link resolveTls} reports missing ones. */
export const tlsFilesSchema = z
  .strictObject({
    ca: path("Of the authorities that nodes and clients trust."),
    cert: path("Of a node's certificate, with those between it and the authority after it."),
    key: path("Of the key of a node's certificate."),
  })
  .meta({
    title: "TlsFiles",
    description: "Paths of PEM files, relative to the project; `{node}` stands for a node's name.",
  });
export const lifetimeSchema = z.string().transform(parseLifetime);
export const hostNamesSchema = z.array(
  z.string().refine((name) => isAddress(name) || isHostName(name.replace(/^\*\./, "")), {
    error: ({ input }) => `${quoteValue(input)} is neither a host name nor an address`,
  }),
);

function parseLifetime(text: string, context: z.RefinementCtx<string>): number {
  try {
    const nanoseconds = parseDuration(text);
    if (nanoseconds >= MINUTE && nanoseconds <= LONGEST_LIFETIME) return nanoseconds;
    context.addIssue({ code: "custom", message: `"${text}" is not between 1m and 1095d` });
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
  return z.NEVER;
}

interface RawTls {
  readonly tls: TlsMode | "auto";
  readonly tlsFiles: { readonly [Name in keyof TlsFiles]?: string | undefined };
  readonly bindAddress: string;
  /** Whether the settings name certificates for clients, or of clients. */
  readonly forClients: boolean;
}

/**
 * Resolves `auto`: `files` if `tlsFiles` names any; otherwise `stack` if clients have certificates of their own; otherwise
 * `none` on loopback, where passwords stay on the machine and users try things out without client settings; otherwise
 * `stack`, as passwords and messages would cross a network in the clear.
 */
export function resolveTls(
  { tls, tlsFiles, bindAddress, forClients }: RawTls,
  place: SettingsPlace,
): {
  readonly settings: Pick<TlsSettings, "tls" | "tlsFiles">;
  readonly problems: readonly Problem[];
} {
  const { ca, cert, key } = tlsFiles;
  const given = Object.entries({ ca, cert, key }).filter(([, file]) => file !== undefined);
  const missing = (["ca", "cert", "key"] as const).filter((name) => tlsFiles[name] === undefined);
  const mode = tls === "auto" ? defaultMode(given.length > 0, forClients, bindAddress) : tls;
  if (mode !== "files") {
    const unused = { path: "tlsFiles", message: `not used with tls: ${mode}`, fix: "remove it" };
    return { settings: { tls: mode }, problems: given.length > 0 ? [unused] : [] };
  }
  if (ca !== undefined && cert !== undefined && key !== undefined) {
    return { settings: { tls: mode, tlsFiles: { ca, cert, key } }, problems: [] };
  }
  return {
    settings: { tls: mode },
    problems: missing.map((name) => ({
      path: `tlsFiles.${name}`,
      message: "no file is named",
      fix: `name one: ${howToSet(place, `tlsFiles.${name}`, `certificates/${EXAMPLES[name]}`)}`,
    })),
  };
}

const EXAMPLES: TlsFiles = { ca: "ca.pem", cert: "{node}.pem", key: "{node}.key" };

function defaultMode(hasFiles: boolean, forClients: boolean, bindAddress: string): TlsMode {
  if (hasFiles) return "files";
  if (forClients) return "stack";
  return isLoopback(bindAddress) ? "none" : "stack";
}

/**
 * A warning if monitoring pages are reachable from other machines without TLS, although clients aren't. Empty if
 * clients are too: TLS is then only off because the user chose `tls: none`.
 */
export function clearTextNotices(
  {
    tls,
    bindAddress,
    monitorAddress,
    monitorPort,
  }: {
    readonly tls: TlsMode;
    readonly bindAddress: string;
    readonly monitorAddress: string;
    readonly monitorPort: number;
  },
  place: SettingsPlace,
): string[] {
  if (monitorPort === 0 || tls !== "none") return [];
  if (!isLoopback(bindAddress) || isLoopback(monitorAddress)) return [];
  return [
    `monitorAddress ${monitorAddress}: monitoring pages, which tell of streams, accounts and clients, cross the network in the clear, as nodes on loopback have no TLS by themselves; have it: ${howToSet(place, "tls", "stack")}`,
  ];
}
