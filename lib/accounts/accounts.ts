import type { Problem } from "../base/errors.ts";
import { ownValue } from "../base/records.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import type { AccountPlan, AccountSettings } from "./account-settings.ts";
import {
  type ClientCertificates,
  certificateProblems,
  connectionTypes,
} from "./certificate-users.ts";
import { importProblems, sharedRequests } from "./imports.ts";

/** The settings that decide the accounts, a part of `Settings`. */
export interface AccountsSettings {
  /** The first account, which owns the streams that name none. */
  readonly account: string;
  readonly user: string;
  readonly systemUser: string;
  /** Whether `user` has a password. It needs none if the first account has other users, see {@link hasSimpleUser}. */
  readonly hasPassword: boolean;
  readonly accounts: Readonly<Record<string, AccountSettings>>;
  /** Absent: clients show no certificate. */
  readonly clientCertificates?: ClientCertificates;
}

/** Plans all accounts except `$SYS`: the first account, then the others in the order of the settings. */
export function planAccounts(settings: AccountsSettings): AccountPlan[] {
  const { account: first, user, accounts, clientCertificates } = settings;
  const connections = connectionTypes(clientCertificates);
  return [...new Set([first, ...Object.keys(accounts)])].map((name) => {
    const { users, limits, jetStream, exports, imports, mappings } = ownValue(accounts, name) ?? {};
    return {
      name,
      users: [
        ...(name === first && hasSimpleUser(settings) ? [{ name: user }] : []),
        ...Object.entries(users ?? {}).map(([name, { nkey, certificate, permissions }]) => ({
          name,
          ...(nkey === undefined ? {} : { nkey }),
          ...(certificate === undefined ? {} : { certificate: { name: certificate, connections } }),
          ...(permissions === undefined ? {} : { permissions }),
        })),
      ],
      limits: limits ?? {},
      jetStream: jetStream === false ? false : typeof jetStream === "object" ? jetStream : {},
      exports: exports ?? [],
      imports: imports ?? [],
      ...(mappings === undefined ? {} : { mappings }),
    };
  });
}

/**
 * Whether the user of the setting `user` exists: if it has a password, or if the first account has no other users. So
 * its password can be removed once there are others.
 */
export function hasSimpleUser({ hasPassword, account, accounts }: AccountsSettings): boolean {
  return hasPassword || Object.keys(ownValue(accounts, account)?.users ?? {}).length === 0;
}

/** Reports errors in names, users and imports of accounts, which depend on other settings or accounts. */
export function accountProblems(settings: AccountsSettings): Problem[] {
  const accounts = planAccounts(settings);
  return [
    ...Object.keys(settings.accounts).flatMap((name) => nameProblems(name, settings)),
    ...userProblems(accounts, settings),
    ...certificateProblems(accounts, settings),
    ...importProblems(accounts),
  ];
}

/** The servers use an account's name for a folder on disk, and as a token in subjects of the system account. */
const ACCOUNT_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/;
const USER_NAME = /^[^\p{C}\s"]+$/u;

function nameProblems(name: string, { account }: AccountsSettings): Problem[] {
  if (name === account || ACCOUNT_NAME.test(name)) return [];
  const message = name.startsWith("$")
    ? `${name} is an account of the servers' own`
    : "an account's name is letters, digits, dashes and underscores";
  return [{ path: `accounts.${name}`, message, fix: "choose another name" }];
}

/** Names and nkeys must be unique across all accounts, as a server finds the account by the user. */
function userProblems(
  accounts: readonly AccountPlan[],
  { account: first, user, systemUser }: AccountsSettings,
): Problem[] {
  const owners = new Map([[systemUser, "the system user"]]);
  const nkeys = new Map<string, string>();
  return accounts.flatMap(({ name: account, users }) =>
    users.flatMap(({ name, nkey }, index): Problem[] => {
      const isSimple = account === first && name === user && index === 0;
      const path = isSimple ? "user" : `accounts.${account}.users.${name}`;
      const owner = owners.get(name);
      owners.set(name, `a user of ${account}`);
      const holder = nkey === undefined ? undefined : nkeys.get(nkey);
      if (nkey !== undefined) nkeys.set(nkey, `${name} of ${account}`);
      return [
        ...(USER_NAME.test(name)
          ? []
          : [{ path, message: "a user's name has no blanks and no quotes", fix: "rename it" }]),
        ...(owner === undefined
          ? []
          : [{ path, message: `"${name}" is ${owner} too`, fix: "rename one" }]),
        ...(holder === undefined
          ? []
          : [
              { path: `${path}.nkey`, message: `${holder} has the same nkey`, fix: "make another" },
            ]),
      ];
    }),
  );
}

/** The part of a stream that its account's rules depend on. */
interface AccountStream {
  readonly name: string;
  readonly account: string;
  readonly config: Pick<StreamConfig, "max_bytes">;
}

/** Reports why a stream can't be in its account. Paths are relative to the stream. */
export function streamAccountProblems(
  { name, account, config }: AccountStream,
  accounts: readonly AccountPlan[],
): Problem[] {
  const home = accounts.find((each) => each.name === account);
  if (!home) {
    const known = accounts.map(({ name }) => name).join(", ");
    const message = `there is no account "${account}"`;
    return [{ path: "account", message, fix: `add it under accounts, or use one of ${known}` }];
  }
  if (home.jetStream === false) {
    const message = `account ${account} has no streams: its jetStream is off`;
    return [{ path: "account", message, fix: "switch it on, or name another account" }];
  }
  const [shared] = sharedRequests(home, name);
  if (shared) {
    const message = `account ${account} imports "${shared.local}" from account ${shared.origin.account}, so that requests for this stream would be carried out there, too`;
    return [{ path: "account", message, fix: "give that import another name by its to" }];
  }
  return home.jetStream.maxBytesRequired && (config.max_bytes ?? -1) < 0
    ? [
        {
          path: "maxBytes",
          message: `account ${account} wants it of every stream (maxBytesRequired)`,
          fix: "say how large the stream gets",
        },
      ]
    : [];
}

/** Reports accounts with more streams than their `maxStreams`. */
export function countProblems(
  streams: readonly AccountStream[],
  accounts: readonly AccountPlan[],
): Problem[] {
  return accounts.flatMap(({ name, jetStream }) => {
    const maximum = jetStream === false ? undefined : jetStream.maxStreams;
    const count = streams.filter(({ account }) => account === name).length;
    if (maximum === undefined || count <= maximum) return [];
    const path = `accounts.${name}.jetStream.maxStreams`;
    return [{ path, message: `${maximum}, but there are ${count} streams`, fix: "raise it" }];
  });
}
