/** The accounts in nats-server's config. They are the same on every server, and a reload applies changes. */

import { type ConfigBlock, type ConfigValue, withoutAbsent } from "../base/conf-format.ts";
import { ownValue } from "../base/records.ts";
import type {
  AccountLimits,
  AccountPlan,
  ExportSettings,
  ImportSettings,
  JetStreamLimits,
  Permissions,
  SubjectRules,
  UserPlan,
} from "./account-settings.ts";
import { mappingsBlock } from "./mappings.ts";
import { MONITOR_PERMISSIONS, managerPermissions, REMOVER_PERMISSIONS } from "./own-permissions.ts";

/** The accounts of a cluster with what servers need to authenticate users: hashes and public keys, no passwords. */
export interface Accounts {
  readonly systemUser: string;
  /** All accounts except the system account `$SYS`. */
  readonly accounts: readonly AccountPlan[];
  /** bcrypt hashes by name of user, including the system user. */
  readonly hashes: Readonly<Record<string, string>>;
  /**
   * By account: public nkey of the stack's own user. Each account with streams has one, and so has `$SYS`: by that one
   * the stack looks at its cluster.
   */
  readonly managers: Readonly<Record<string, string>>;
  /**
   * Public nkey of the stack's own user that takes nodes out of the meta group. Absent: the system user does that, which
   * it can't where certificates say which user a client is.
   */
  readonly remover?: string;
  /** By account: the subjects that the stack's own user writes. Absent: none, in any account. */
  readonly written?: Readonly<Record<string, readonly string[]>>;
}

/** The block `accounts` of nats-server's config, with the fields that `parseAccounts` in its opts.go reads (2.15). */
export function accountsBlock({
  systemUser,
  accounts,
  hashes,
  managers,
  remover,
  written = {},
}: Accounts): ConfigBlock {
  const nkeyUser = (nkey: string | undefined, permissions: Permissions) =>
    nkey === undefined ? [] : [{ nkey, permissions: permissionsBlock(permissions) }];
  const ownUser = (account: string, permissions: Permissions) =>
    nkeyUser(ownValue(managers, account), permissions);
  const blockOf = (account: AccountPlan): ConfigBlock => {
    return {
      ...(account.jetStream === false ? {} : { jetstream: jetStreamBlock(account.jetStream) }),
      ...ifAny("limits", limitsBlock(account.limits)),
      users: [
        ...account.users.map((user) => userBlock(user, hashes)),
        ...ownUser(account.name, managerPermissions(ownValue(written, account.name))),
      ],
      ...(account.exports.length > 0 ? { exports: account.exports.map(exportBlock) } : {}),
      ...(account.imports.length > 0 ? { imports: account.imports.map(importBlock) } : {}),
      ...ifAny("mappings", mappingsBlock(account.mappings ?? {})),
    };
  };
  return {
    accounts: {
      $SYS: {
        users: [
          userBlock({ name: systemUser }, hashes),
          ...ownUser("$SYS", MONITOR_PERMISSIONS),
          ...nkeyUser(remover, REMOVER_PERMISSIONS),
        ],
      },
      ...Object.fromEntries(accounts.map((account) => [account.name, blockOf(account)])),
    },
  };
}

function userBlock(
  { name, nkey, certificate, permissions }: UserPlan,
  hashes: Accounts["hashes"],
): ConfigBlock {
  const may = permissions ? { permissions: permissionsBlock(permissions) } : {};
  if (nkey !== undefined) return { nkey, ...may };
  if (certificate !== undefined) {
    // It has no password, so that where no certificate is asked for, the server would take an empty one for it.
    const { name: user, connections } = certificate;
    return { user, allowed_connection_types: connections, ...may };
  }
  const password = ownValue(hashes, name);
  // Without a password the server would let in anybody who knows the name.
  if (password === undefined) throw new Error(`user ${name} has no password`);
  return { user: name, password, ...may };
}

function permissionsBlock({ publish, subscribe, allowResponses }: Permissions): ConfigBlock {
  return {
    ...(publish ? { publish: rulesBlock(publish) } : {}),
    ...(subscribe ? { subscribe: rulesBlock(subscribe) } : {}),
    ...(allowResponses === undefined ? {} : { allow_responses: responses(allowResponses) }),
  };
}

function rulesBlock({ allow, deny }: SubjectRules): ConfigBlock {
  return { ...(allow ? { allow } : {}), ...(deny ? { deny } : {}) };
}

function responses(allowed: NonNullable<Permissions["allowResponses"]>): ConfigValue {
  if (typeof allowed === "boolean") return allowed;
  const { max, ttl } = allowed;
  return {
    ...(max === undefined ? {} : { max }),
    ...(ttl === undefined ? {} : { ttl: `${ttl}ns` }),
  };
}

function limitsBlock({ connections, subscriptions, payload }: AccountLimits): ConfigBlock {
  return withoutAbsent({
    max_connections: connections,
    max_subscriptions: subscriptions,
    max_payload: payload,
  });
}

/** The value of `jetstream` in an account's config: its limits, or `enabled` if there are none. */
export function jetStreamBlock(limits: JetStreamLimits): ConfigValue {
  const block = withoutAbsent({
    max_file: limits.maxFileStore,
    max_memory: limits.maxMemoryStore,
    max_streams: limits.maxStreams,
    max_consumers: limits.maxConsumers,
    max_ack_pending: limits.maxAckPending,
    disk_max_stream_bytes: limits.maxFileStreamBytes,
    memory_max_stream_bytes: limits.maxMemoryStreamBytes,
    max_bytes_required: limits.maxBytesRequired,
  });
  return Object.keys(block).length === 0 ? "enabled" : block;
}

function exportBlock(offer: ExportSettings): ConfigBlock {
  const { accounts } = offer;
  const audience = accounts ? { accounts } : {};
  if ("stream" in offer) return { stream: offer.stream, ...audience };
  const { service, response } = offer;
  return { service, ...audience, ...(response ? { response } : {}) };
}

function importBlock(wanted: ImportSettings): ConfigBlock {
  const local = wanted.to === undefined ? {} : { to: wanted.to };
  if ("service" in wanted) return { service: { ...wanted.service }, ...local };
  const prefix = wanted.prefix === undefined ? {} : { prefix: wanted.prefix };
  return { stream: { ...wanted.stream }, ...local, ...prefix };
}

function ifAny(key: string, block: ConfigBlock): ConfigBlock {
  return Object.keys(block).length === 0 ? {} : { [key]: block };
}
