/** The blocks `tls` in a node's config. */
import type { ClientListener } from "../accounts/certificate-users.ts";
import type { ConfigBlock } from "../base/conf-format.ts";

/** Mount point of the config volume in a node's container. */
export const CONFIG_DIR = "/etc/nats";

/** PEM files in {@link CONFIG_DIR} of a node with TLS. */
export const TLS_FILES = { ca: "ca.pem", certificate: "certificate.pem", key: "key.pem" } as const;

/** Files in {@link CONFIG_DIR} of a node that shows clients another certificate, or asks them for one. */
export const CLIENT_TLS_FILES = {
  ca: "client-ca.pem",
  certificate: "client-certificate.pem",
  key: "client-key.pem",
} as const;

/** What a node's config says of TLS. */
export interface TlsConf {
  /** Who issues the certificates. Absent: no TLS. */
  readonly tls?: "stack" | "files";
  /** Present if clients are shown a certificate of their own. */
  readonly clientTls?: true;
  /** Whom it asks for a certificate. Absent: nobody but other nodes. */
  readonly verifies?: {
    readonly listeners: readonly ClientListener[];
    /** Whether the certificate says which user a client is. */
    readonly maps: boolean;
  };
}

/** Timeout of a TLS handshake. The server's default of 2 is too short if many clients reconnect to a busy machine. */
const HANDSHAKE_SECONDS = 5;

/** The entry `tls` of a listener for clients; empty without TLS. */
export function listenerTls(conf: TlsConf, listener: ClientListener): ConfigBlock {
  if (conf.tls === undefined) return {};
  return { tls: { ...shownTo(conf), timeout: HANDSHAKE_SECONDS, ...asked(conf, listener) } };
}

/** The entry `tls` of routes, on which both ends verify each other. */
export function routeTls({ tls }: TlsConf): ConfigBlock {
  if (tls === undefined) return {};
  const ca = { ca_file: `${CONFIG_DIR}/${TLS_FILES.ca}`, verify: true };
  return { tls: { ...pairOf(TLS_FILES), timeout: HANDSHAKE_SECONDS, ...ca } };
}

/**
 * The server shows the first certificate that has the name which the client asks for, and the first one to clients that
 * ask for none, or for a name that no certificate has (Go's `getCertificate` in crypto/tls). So the stack itself, which
 * asks for `STACK_SERVER_NAME`, sees the node's own certificate, and goes on whatever becomes of the other one.
 */
function shownTo({ clientTls }: TlsConf): ConfigBlock {
  if (!clientTls) return pairOf(TLS_FILES);
  return { certificates: [pairOf(CLIENT_TLS_FILES), pairOf(TLS_FILES)] };
}

function pairOf({ certificate, key }: Readonly<Record<"certificate" | "key", string>>) {
  return { cert_file: `${CONFIG_DIR}/${certificate}`, key_file: `${CONFIG_DIR}/${key}` };
}

function asked({ verifies }: TlsConf, listener: ClientListener): ConfigBlock {
  if (!verifies?.listeners.includes(listener)) return {};
  return {
    ca_file: `${CONFIG_DIR}/${CLIENT_TLS_FILES.ca}`,
    [verifies.maps ? "verify_and_map" : "verify"]: true,
  };
}

/** Whether a rendered `nats.conf` asks clients for certificates. */
export function asksClients(conf: string): boolean {
  return conf.includes(`/${CLIENT_TLS_FILES.ca}"`);
}

/** Blocks of a `nats.conf` with listeners that map certificates to users, and what the server calls their connections. */
const MAPPING_BLOCKS: Readonly<Record<string, string>> = {
  tls: "STANDARD",
  mqtt: "MQTT",
  websocket: "WEBSOCKET",
  leafnodes: "LEAFNODE",
};

const BLOCK = /^"(\w+)": \{\n(.*?)^\}$/gms;

/**
 * The connections of a rendered `nats.conf` on which users without a password are safe, e.g. `STANDARD`: the certificate
 * is asked for who they are.
 */
export function mappedConnections(conf: string): ReadonlySet<string> {
  const blocks = [...conf.matchAll(BLOCK)].filter(([, , text = ""]) =>
    /^ *"verify_and_map": true$/m.test(text),
  );
  return new Set(blocks.flatMap(([, name = ""]) => MAPPING_BLOCKS[name] ?? []));
}
