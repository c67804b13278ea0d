/** Users whom servers know by the certificates that clients show. */
import type { Problem } from "../base/errors.ts";
import { quoteValue } from "../base/wording.ts";
import type { AccountPlan } from "./account-settings.ts";
import { areSameSubject } from "./certificate-names.ts";

/** The listeners of a node that may ask clients for a certificate. */
export const CLIENT_LISTENERS = ["clients", "leafNodes", "websocket", "mqtt"] as const;

export type ClientListener = (typeof CLIENT_LISTENERS)[number];

/** Certificates that clients have to show. */
export interface ClientCertificates {
  /** Path of a PEM file, relative to the project: the authorities that sign clients' certificates. */
  readonly ca: string;
  /** Whether a certificate says which user the client is (`verify_and_map`), in the place of user and password. */
  readonly map: boolean;
  /** Those that nodes have. */
  readonly listeners: readonly ClientListener[];
}

/** The settings that decide who is known by what, a part of `Settings`. */
interface Login {
  readonly systemUser: string;
  /** Absent: clients show no certificate. */
  readonly clientCertificates?: ClientCertificates;
}

/** How nats-server calls the connections that a listener takes (2.15, `connectionTypeAllowed` in client.go). */
const CONNECTION_TYPES: Readonly<Record<ClientListener, string>> = {
  clients: "STANDARD",
  leafNodes: "LEAFNODE",
  websocket: "WEBSOCKET",
  mqtt: "MQTT",
};

/** The connections whose user a certificate decides. */
export function connectionTypes(asked: ClientCertificates | undefined): readonly string[] {
  return asked?.map ? asked.listeners.map((listener) => CONNECTION_TYPES[listener]) : [];
}

/** A user as the servers tell it from others by a certificate. */
interface Known {
  readonly path: string;
  readonly who: string;
  /** The name in its certificate, or that of a user with a password. */
  readonly name: string;
  readonly isByCertificate: boolean;
}

/**
 * Reports certificates that are of no use, and those that the servers couldn't tell apart: a user with a password counts,
 * as the servers look its name up as well.
 */
export function certificateProblems(
  accounts: readonly AccountPlan[],
  { systemUser, clientCertificates }: Login,
): Problem[] {
  const all = accounts.flatMap(({ name: account, users }) =>
    users
      .filter(({ nkey }) => nkey === undefined)
      .map(({ name, certificate }) => ({
        path: `accounts.${account}.users.${name}${certificate ? ".certificate" : ""}`,
        who: `${name} of ${account}`,
        name: certificate?.name ?? name,
        isByCertificate: certificate !== undefined,
      })),
  );
  const system = { path: "systemUser", who: "the system user", name: systemUser };
  const known: readonly Known[] = [{ ...system, isByCertificate: false }, ...all];
  return known.flatMap((user, index): Problem[] => {
    const { path, isByCertificate } = user;
    if (isByCertificate && !clientCertificates?.map) {
      const fix = "set clientCertificates with ca and map: true, or give it a password or an nkey";
      return [{ path, message: "clients aren't asked for certificates that name them", fix }];
    }
    const twin = known.slice(0, index).find((other) => areAlike(user, other));
    if (!twin) return [];
    const message =
      twin.name === user.name
        ? `${quoteValue(user.name)} is ${twin.who} too`
        : `${quoteValue(user.name)} has the parts of ${quoteValue(twin.name)}, which is ${twin.who}: a certificate with them in another order could be either`;
    return [{ path, message, fix: "name another certificate" }];
  });
}

/** Two users with passwords are compared elsewhere, by their names. */
function areAlike(one: Known, other: Known): boolean {
  if (!one.isByCertificate && !other.isByCertificate) return false;
  return one.name === other.name || areSameSubject(one.name, other.name);
}

/** A node, and the names and addresses in its certificate. */
interface CertifiedNode {
  readonly name: string;
  readonly certificateNames: readonly string[];
}

/** Reports users whom a node's own certificate would name: whoever has the key of a node could be that user. */
export function nodeCertificateProblems(
  accounts: readonly AccountPlan[],
  nodes: readonly CertifiedNode[],
): Problem[] {
  return accounts.flatMap(({ name: account, users }) =>
    users.flatMap(({ name, certificate }): Problem[] => {
      if (certificate === undefined) return [];
      const node = nodes.find((each) => isOfNode(certificate.name, each));
      if (!node) return [];
      return [
        {
          path: `accounts.${account}.users.${name}.certificate`,
          message: `${quoteValue(certificate.name)} is in the certificate of ${node.name} itself`,
          fix: "name another certificate",
        },
      ];
    }),
  );
}

function isOfNode(name: string, { name: node, certificateNames }: CertifiedNode): boolean {
  return [node, ...certificateNames].includes(name) || areSameSubject(name, `CN=${node}`);
}

/** What users with passwords have to know where certificates say which user a client is. */
export function mappedNotices(
  accounts: readonly AccountPlan[],
  { systemUser, clientCertificates }: Login,
): string[] {
  if (!clientCertificates?.map) return [];
  const names = accounts.flatMap(({ users }) =>
    users.flatMap(({ name, nkey, certificate }) => (nkey || certificate ? [] : [name])),
  );
  const shown = [systemUser, ...names].join(", ");
  return [
    `clientCertificates.map: on ${clientCertificates.listeners.join(", ")} the certificate says which user a client is. Users with a password (${shown}) get in there only with a certificate that has their name, and their password; those with an nkey as ever, with any certificate.`,
  ];
}
