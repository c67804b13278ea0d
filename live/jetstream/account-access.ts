/** What servers tell a client of its own login, and of JetStream in its account. */
import { z } from "zod";
import type { JetStreamLimits } from "../../lib/accounts/account-settings.ts";
import type { OwnPermissions } from "../../lib/existing/permissions.ts";
import { parseVersion, type ServerVersion } from "../../lib/nodes/versions.ts";
import { AccessDenied, type Session, withClient } from "./clients.ts";
import type { Connection } from "./connection.ts";
import {
  JetStreamError,
  JetStreamUnavailable,
  REQUEST_TIMEOUT_MS,
  requestApi,
} from "./jetstream.ts";

/** What the server that answers shows of itself, and who the client is to it. */
export interface OwnAccess {
  /** The account as the servers call it; undefined if they don't say. */
  readonly account: string | undefined;
  /** Absent: they aren't known, or there are none. */
  readonly permissions?: OwnPermissions;
  /** Name of the server. */
  readonly server: string;
  /** Name of its cluster; `""` if it is in none. */
  readonly cluster: string;
  readonly version: ServerVersion;
  /** Level of JetStream's API. */
  readonly apiLevel: number;
}

const WHO_AM_I = "$SYS.REQ.USER.INFO";
const WHO_AM_I_MS = 2_000;

const rules = z.object({
  allow: z.array(z.string()).optional(),
  deny: z.array(z.string()).optional(),
});

/** `UserInfo` in nats-server's server/accounts.go; `account_name` in 2.14 and later. */
const userInfo = z.object({
  data: z.object({
    account: z.string().optional(),
    account_name: z.string().optional(),
    permissions: z.object({ publish: rules.optional(), subscribe: rules.optional() }).optional(),
  }),
});

/**
 * Logs in, and asks who the client is.
 *
 * @param account as errors call it; empty if it isn't known yet.
 * @throws ClusterUnreachable; AccessDenied
 */
export async function askOwnAccess(connection: Connection, account: string): Promise<OwnAccess> {
  const session: Session = { connection, account };
  return await withClient(session, async (client) => {
    const {
      server_name: server = "",
      cluster = "",
      version = "",
      api_lvl,
    } = shown.parse(client.info);
    // A login may be barred from asking. What it may not do then shows later.
    const told = await client
      .request(WHO_AM_I, "", { timeout: WHO_AM_I_MS })
      .then((message) => userInfo.parse(message.json()).data)
      .catch(() => undefined);
    const { account_name: name, account: key, permissions } = told ?? {};
    return {
      account: name || key,
      ...(permissions === undefined ? {} : { permissions }),
      server,
      cluster,
      version: parseVersion(version) ?? [0, 0, 0],
      apiLevel: api_lvl ?? levelOf(version),
    };
  });
}

/** `Info` in nats-server's server/server.go. */
const shown = z.object({
  server_name: z.string().optional(),
  cluster: z.string().optional(),
  version: z.string().optional(),
  api_lvl: z.number().optional(),
});

/** Servers before 2.12 don't show the level in their greeting. */
function levelOf(version: string): number {
  const [major = 0, minor = 0] = parseVersion(version) ?? [];
  return major > 2 || minor >= 11 ? 1 : 0;
}

/** The account has no JetStream. */
export class NoJetStream extends Error {
  override readonly name = "NoJetStream";
}

/** nats-server's server/errors.json: off in the account, off in the server. */
const OFF: ReadonlySet<number> = new Set([10039, 10076]);

/** `JSApiAccountInfoResponse` in server/jetstream_api.go; -1 and 0 are no limit. */
const accountInfo = z.object({
  limits: z
    .object({
      max_ack_pending: z.number().default(-1),
      max_consumers: z.number().default(-1),
      memory_max_stream_bytes: z.number().default(-1),
      storage_max_stream_bytes: z.number().default(-1),
      max_bytes_required: z.boolean().default(false),
    })
    .prefault({}),
  /** Limits by number of replicas: then `limits` doesn't count. */
  tiers: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * The limits that an account's streams and consumers have each; empty if they differ by the number of replicas.
 *
 * @throws NoJetStream; ClusterUnreachable; AccessDenied
 */
export async function askLimits(connection: Connection, account: string): Promise<JetStreamLimits> {
  const session: Session = { connection, account };
  const { limits, tiers } = accountInfo.parse(await askInfo(session));
  if (tiers && Object.keys(tiers).length > 0) return {};
  return {
    ...(limits.max_ack_pending > 0 ? { maxAckPending: limits.max_ack_pending } : {}),
    ...(limits.max_consumers > 0 ? { maxConsumers: limits.max_consumers } : {}),
    ...(limits.storage_max_stream_bytes > 0
      ? { maxFileStreamBytes: limits.storage_max_stream_bytes }
      : {}),
    ...(limits.memory_max_stream_bytes > 0
      ? { maxMemoryStreamBytes: limits.memory_max_stream_bytes }
      : {}),
    ...(limits.max_bytes_required ? { maxBytesRequired: true } : {}),
  };
}

async function askInfo(session: Session): Promise<object> {
  try {
    return await requestApi(session, "INFO", "", REQUEST_TIMEOUT_MS);
  } catch (error) {
    if (error instanceof JetStreamError && OFF.has(error.code)) {
      throw new NoJetStream(error.description, { cause: error });
    }
    if (error instanceof AccessDenied || !(error instanceof JetStreamUnavailable)) throw error;
    throw new NoJetStream(error.message, { cause: error });
  }
}
