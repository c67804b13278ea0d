import { X509Certificate } from "node:crypto";
import { type Authenticator, connect, credsAuthenticator, errors, type NatsConnection } from "nats";
import { publicKeyOf, signNonce } from "../../lib/accounts/nkeys.ts";
import { withDeadline } from "../with-deadline.ts";
import { clientTls } from "./client-tls.ts";
import type { Connection, Login } from "./connection.ts";
import { firstReachable } from "./first-reachable.ts";

/** No server of the cluster answers. */
export class ClusterUnreachable extends Error {
  override readonly name = "ClusterUnreachable";
}

/** The servers answer, but don't accept this user. */
export class AccessDenied extends Error {
  override readonly name = "AccessDenied";
}

/** A login to an account of a cluster. */
export interface Session {
  readonly connection: Connection;
  readonly account: string;
  /** Whether the connection ends with its server, and what waits for an answer fails. Default: it is made again. */
  readonly endsWithServer?: true;
  /** The same for all sessions of one cluster in this process. */
  readonly cluster?: string;
}

/** What a server showed of itself as the connection was made. */
export interface Shown {
  /** PEM of its certificate; absent without TLS. */
  readonly certificate?: string;
}

const CONNECT_DEADLINE_MS = 5_000;
/** In which one server of all accepts a connection, also on a machine with more work than it can do. */
const REACH_TIMEOUT_MS = 4_000;
/** For four round trips, with TLS. A server that hangs after its greeting must leave time to try others. */
const DIAL_TIMEOUT_MS = 3_000;
/** After two unanswered pings the client connects to another server; its own default is minutes. */
const PING_INTERVAL_MS = 1_000;
/** Long enough for the pauses between calls, short enough for a process to end. */
const IDLE_MS = 3_000;

/** Closes all connections of this process, so that it can end at once. */
export async function closeConnections(): Promise<void> {
  const open = [...connections.values()];
  connections.clear();
  await Promise.allSettled(open.map(async ({ opened }) => (await opened).client.close()));
}

/** Closes connections that nobody uses at the moment, so that they don't keep the process from its end. */
export async function closeUnused(): Promise<void> {
  const unused = [...connections].filter(([, { users }]) => users === 0);
  await Promise.allSettled(unused.map(([key, shared]) => closeIdle(key, shared)));
}

/** The sessions of a cluster whose connections are open, or being opened. */
export function sessionsOf(cluster: string): Session[] {
  const all = [...connections.values()].map(({ session }) => session);
  return all.filter((session) => session.cluster === cluster);
}

interface Opened {
  readonly client: NatsConnection;
  readonly shown: Shown;
}

interface SharedConnection {
  readonly session: Session;
  /** The URL of the server that greets first. */
  readonly nearest: Promise<string>;
  readonly opened: Promise<Opened>;
  users: number;
  idle?: NodeJS.Timeout;
}

const connections = new Map<string, SharedConnection>();

/**
 * Uses the client of a session. All users of one connection share it; it closes when idle, and opens again when needed.
 *
 * @throws ClusterUnreachable; AccessDenied
 */
export async function withClient<Result>(
  session: Session,
  use: (client: NatsConnection, shown: Shown) => Promise<Result>,
): Promise<Result> {
  const key = JSON.stringify(session.connection);
  const shared = connections.get(key) ?? share(key, session);
  clearTimeout(shared.idle);
  shared.users += 1;
  try {
    const { client, shown } = await shared.opened;
    return await use(client, shown);
  } finally {
    shared.users -= 1;
    const live = connections.get(key) === shared;
    if (live && shared.users === 0) shared.idle = setTimeout(() => closeIdle(key, shared), IDLE_MS);
  }
}

/** Resolves once a server of a session that is in use has greeted; the connection may take much longer. */
export async function whenGreeted({ connection }: Session): Promise<void> {
  await connections.get(JSON.stringify(connection))?.nearest;
}

function share(key: string, session: Session): SharedConnection {
  const nearest = firstReachable(session.connection.urls, REACH_TIMEOUT_MS).catch(
    (error: unknown) => {
      throw unreachable(session, error);
    },
  );
  const opened = nearest.then((url) => dial(session, url));
  const shared: SharedConnection = { session, nearest, opened, users: 0 };
  connections.set(key, shared);
  const forget = () => {
    clearTimeout(shared.idle);
    if (connections.get(key) === shared) connections.delete(key);
  };
  // The next caller must not get a connection that failed or broke for good.
  shared.opened.then(({ client }) => client.closed().then(forget), forget);
  return shared;
}

async function closeIdle(key: string, shared: SharedConnection): Promise<void> {
  clearTimeout(shared.idle);
  connections.delete(key);
  await (await shared.opened).client.close();
}

async function dial(session: Session, nearest: string): Promise<Opened> {
  const { foreign } = session.connection;
  if (foreign?.isMissing) {
    throw new AccessDenied(
      `${foreign.setting} is in the settings no more; put it back until its streams are gone`,
    );
  }
  const { urls, tls, foreign: _, ...login } = session.connection;
  let certificate: string | undefined;
  const note = (raw: Buffer) => {
    certificate = new X509Certificate(raw).toString();
  };
  const attempt = connect({
    servers: [nearest, ...urls.filter((url) => url !== nearest)],
    noRandomize: true,
    ...credentialsOf(login),
    ...(tls === undefined ? {} : { tls: clientTls(tls, note) }),
    name: "nats-regions",
    // Servers may advertise addresses that can be reached from their own network only.
    ignoreClusterUpdates: true,
    timeout: DIAL_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    ...(session.endsWithServer
      ? { reconnect: false, maxPingOut: 5 }
      : { reconnectTimeWait: 250, maxReconnectAttempts: 5, maxPingOut: 2 }),
  });
  try {
    const client = await withDeadline(() => attempt, CONNECT_DEADLINE_MS);
    // The account's permissions arrive after the first answer (nats-server 2.15, `processPing`).
    await client.flush();
    return { client, shown: certificate === undefined ? {} : { certificate } };
  } catch (error) {
    // The attempt may succeed after the deadline.
    attempt.then((late) => late.close()).catch(() => undefined);
    if (error instanceof errors.AuthorizationError) throw denied(session, error);
    throw unreachable(session, error);
  }
}

function credentialsOf(login: Login) {
  if ("seed" in login) return { authenticator: nkeyLogin(login.seed) };
  if ("token" in login) return { token: login.token };
  if ("creds" in login) {
    return { authenticator: credsAuthenticator(new TextEncoder().encode(login.creds)) };
  }
  return "user" in login ? { user: login.user, pass: login.password } : {};
}

function nkeyLogin(seed: string): Authenticator {
  const nkey = publicKeyOf(seed);
  return (nonce = "") => ({ nkey, sig: signNonce(seed, nonce) });
}

/** The error if no server answers. */
export function unreachable({ connection }: Session, cause: unknown): ClusterUnreachable {
  const why = cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
  const urls = connection.urls.map((url) => url.replace(/\/\/[^/@]*@/, "//")).join(", ");
  return new ClusterUnreachable(
    `no NATS server answers at ${urls}${why}; start the cluster, or check that these addresses can be reached from here`,
    { cause },
  );
}

/** The error if servers refuse the login, or what it asks for. */
export function denied({ connection, account }: Session, cause: Error): AccessDenied {
  const what =
    cause instanceof errors.PermissionViolationError
      ? `may not ${cause.operation === "publish" ? "publish to" : "subscribe to"} ${cause.subject}`
      : "is not accepted";
  const { foreign } = connection;
  if (foreign) {
    const way = cause instanceof errors.PermissionViolationError ? "have it allowed" : "correct it";
    return new AccessDenied(
      `${foreign.setting}: the servers say that ${describeLogin(connection)} ${account === "" ? "" : `of account ${account} `}${what}; ${way}`,
      { cause },
    );
  }
  const who = "user" in connection ? describeLogin(connection) : "the stack's own user";
  return new AccessDenied(
    `${who} of account ${account} ${what}; "pulumi up" gives the servers the accounts and users of the settings`,
    { cause },
  );
}

/** A login as users know it, without what is secret. */
function describeLogin(login: Login): string {
  if ("user" in login) return `user "${login.user}"`;
  if ("seed" in login) return `nkey ${publicKeyOf(login.seed)}`;
  if ("token" in login) return "the token";
  return "creds" in login ? "the user of the creds" : "a client without login";
}
