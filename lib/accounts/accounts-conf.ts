/** The part of a server's config that says who may do what: the same on every server, taken up by a reload. */

import type { ConfigBlock, ConfigValue } from "../base/conf-format.ts";
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

/** The accounts of a cluster with all that the servers know of their users: no password, but hashes and public keys. */
export interface Accounts {
  readonly systemUser: string;
  /** Beside the system account `$SYS`, which has no streams. */
  readonly accounts: readonly AccountPlan[];
  /** bcrypt hashes by the names of users, the system user among them. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Public nkeys of the user that the stack itself has in each account with streams, by account. */
  readonly managers: Readonly<Record<string, string>>;
}

/** What looks after streams asks JetStream's API, and nothing else. */
const MANAGER_PERMISSIONS: Permissions = {
  publish: { allow: ["$JS.API.>"] },
  subscribe: { allow: ["_INBOX.>"] },
};

/** The block `accounts` of nats-server's config, by the fields of `parseAccounts` in its opts.go (2.15). */
export function accountsBlock({ systemUser, accounts, hashes, managers }: Accounts): ConfigBlock {
  const blockOf = (account: AccountPlan): ConfigBlock => {
    const manager = ownValue(managers, account.name);
    return {
      ...(account.jetStream === false ? {} : { jetstream: jetStreamBlock(account.jetStream) }),
      ...ifAny("limits", limitsBlock(account.limits)),
      users: [
        ...account.users.map((user) => userBlock(user, hashes)),
        ...(manager ? [{ nkey: manager, permissions: permissionsBlock(MANAGER_PERMISSIONS) }] : []),
      ],
      ...(account.exports.length > 0 ? { exports: account.exports.map(exportBlock) } : {}),
      ...(account.imports.length > 0 ? { imports: account.imports.map(importBlock) } : {}),
    };
  };
  return {
    accounts: {
      $SYS: { users: [userBlock({ name: systemUser }, hashes)] },
      ...Object.fromEntries(accounts.map((account) => [account.name, blockOf(account)])),
    },
  };
}

function userBlock({ name, nkey, permissions }: UserPlan, hashes: Accounts["hashes"]): ConfigBlock {
  const may = permissions ? { permissions: permissionsBlock(permissions) } : {};
  if (nkey !== undefined) return { nkey, ...may };
  const password = ownValue(hashes, name);
  // Without one the server would let in whoever knows the name.
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

/** What an account's streams may take, as its config has it; `enabled` where that is anything. */
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

function withoutAbsent(block: Readonly<Record<string, ConfigValue | undefined>>): ConfigBlock {
  return Object.fromEntries(
    Object.entries(block).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
