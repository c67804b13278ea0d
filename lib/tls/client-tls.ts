/** TLS between nodes and clients: the certificate that nodes show to clients, and those that clients show to nodes. */
import { z } from "zod";
import {
  CLIENT_LISTENERS,
  type ClientCertificates,
  type ClientListener,
} from "../accounts/certificate-users.ts";
import type { Problem } from "../base/errors.ts";
import { howToSet, type SettingsPlace } from "../base/settings-place.ts";
import type { TlsMode } from "./tls-settings.ts";

/**
 * What nodes show to clients instead of a certificate of the stack's own authority. Paths of PEM files, relative to the
 * project; `{node}` and `{region}` stand for the names of a node and its region.
 */
export interface ClientTls {
  /** The certificate, followed by its intermediate certificates. */
  readonly cert: string;
  readonly key: string;
  /** The authorities that clients trust. Absent: those that every system knows. */
  readonly ca?: string;
}

/** Browsers can't be given a certificate by the page that connects, so WebSocket has to be named. */
const DEFAULT_LISTENERS: readonly ClientListener[] = ["clients", "leafNodes", "mqtt"];

/** Fills in what stands for names of a node. */
export function fillIn(
  text: string,
  { name, region }: { readonly name: string; readonly region: string },
): string {
  return text.replaceAll("{node}", name).replaceAll("{region}", region);
}

function path(of: string) {
  return z.string().min(1).optional().describe(of);
}

/** The schema of `clientTls`. All of it is optional here; {@link resolveClientTls} reports what is missing. */
export const clientTlsSchema = z
  .strictObject({
    cert: path("Of the certificate for clients, with those between it and the authority after it."),
    key: path("Of its key."),
    ca: path(
      "Of the authorities that clients trust. Default: those that every system knows, as Mozilla lists them.",
    ),
  })
  .meta({
    title: "ClientTls",
    description:
      "Paths of PEM files, relative to the project; `{node}` and `{region}` stand for names of a node and its region.",
  });

/** The schema of `clientCertificates`. */
export const clientCertificatesSchema = z
  .strictObject({
    ca: path("Of the authorities that sign clients' certificates."),
    map: z
      .boolean()
      .optional()
      .describe(
        "Whether a certificate says which user a client is, in the place of user and password. Default: `false`.",
      ),
    listeners: z
      .array(z.enum(CLIENT_LISTENERS))
      .min(1)
      .optional()
      .describe(
        "Which listeners ask for one. Default: all but WebSocket, as pages give browsers no certificate.",
      ),
  })
  .meta({
    title: "ClientCertificates",
    description: "Certificates that clients have to show.",
  });

export type RawClientTls = { readonly [Name in keyof ClientTls]?: string | undefined };
export interface RawClientCertificates {
  readonly ca?: string | undefined;
  readonly map?: boolean | undefined;
  readonly listeners?: readonly ClientListener[] | undefined;
}

/** The settings after {@link resolveClientTls}; each is absent if it isn't set. */
export interface ClientTlsSettings {
  readonly clientTls?: ClientTls;
  readonly clientCertificates?: ClientCertificates;
}

interface Raw {
  readonly clientTls: RawClientTls;
  readonly clientCertificates: RawClientCertificates;
  /** Resolved. */
  readonly tls: TlsMode;
  /** The listeners that nodes have. */
  readonly listening: readonly ClientListener[];
}

/** Whether a setting that is a map has anything in it. */
export function isGiven(setting: object): boolean {
  return Object.values(setting).some((value) => value !== undefined);
}

/** Fills in defaults, and reports what is missing, and what doesn't go together with the setting `tls`. */
export function resolveClientTls(
  { clientTls, clientCertificates, tls, listening }: Raw,
  place: SettingsPlace,
): { readonly settings: ClientTlsSettings; readonly problems: readonly Problem[] } {
  const shown = resolveShown(clientTls, tls, place);
  const asked = resolveAsked(clientCertificates, { tls, listening }, place);
  return {
    settings: {
      ...("cert" in shown ? { clientTls: shown } : {}),
      ...("ca" in asked ? { clientCertificates: asked } : {}),
    },
    problems: [shown, asked].flatMap((each) => ("problems" in each ? each.problems : [])),
  };
}

interface Problems {
  readonly problems: readonly Problem[];
}

const NONE: Problems = { problems: [] };

function resolveShown(
  given: RawClientTls,
  tls: TlsMode,
  place: SettingsPlace,
): ClientTls | Problems {
  if (!isGiven(given)) return NONE;
  const { cert, key, ca } = given;
  if (tls !== "stack") {
    const fix = `${howToSet(place, "tls", "stack")}: routes then go by an authority of the stack's own${tls === "files" ? ", and not by tlsFiles" : ""}`;
    return { problems: [{ path: "clientTls", message: `not used with tls: ${tls}`, fix }] };
  }
  if (cert !== undefined && key !== undefined) {
    return {
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
    };
  }
  const examples = { cert: "tls/fullchain.pem", key: "tls/privkey.pem" };
  const missing = (["cert", "key"] as const).filter((name) => given[name] === undefined);
  return { problems: missing.map((name) => noFile(`clientTls.${name}`, examples[name], place)) };
}

function resolveAsked(
  given: RawClientCertificates,
  { tls, listening }: Pick<Raw, "tls" | "listening">,
  place: SettingsPlace,
): ClientCertificates | Problems {
  if (!isGiven(given)) return NONE;
  const { ca, map = false, listeners = DEFAULT_LISTENERS } = given;
  if (tls === "none") {
    const fix = howToSet(place, "tls", "stack");
    return { problems: [{ path: "clientCertificates", message: "not used with tls: none", fix }] };
  }
  const silent = given.listeners?.find((listener) => !listening.includes(listener));
  if (silent !== undefined) {
    const fix = `set ${silent} to true, or take it out`;
    const path = "clientCertificates.listeners";
    return { problems: [{ path, message: `${silent} is off`, fix }] };
  }
  if (ca !== undefined) {
    return { ca, map, listeners: listeners.filter((each) => listening.includes(each)) };
  }
  return { problems: [noFile("clientCertificates.ca", "tls/clients-ca.pem", place)] };
}

function noFile(path: string, example: string, place: SettingsPlace): Problem {
  return { path, message: "no file is named", fix: `name one: ${howToSet(place, path, example)}` };
}
