import * as pulumi from "@pulumi/pulumi";
import type { JetStreamLimits } from "../../lib/accounts/account-settings.ts";
import type { OldestServer } from "../../lib/existing/api-levels.ts";
import type { KnownAccount, KnownCluster } from "../../lib/existing/existing-plan.ts";
import type { ExistingSettings } from "../../lib/existing/existing-settings.ts";
import { knownFleet, type ToldFleet } from "../../lib/existing/fleet.ts";
import type { Login } from "../../lib/existing/logins.ts";
import type { OwnPermissions } from "../../lib/existing/permissions.ts";
import { isOlder } from "../../lib/nodes/versions.ts";
import {
  askLimits,
  askOwnAccess,
  NoJetStream,
  type OwnAccess,
} from "../../live/jetstream/account-access.ts";
import { AccessDenied, ClusterUnreachable, closeUnused } from "../../live/jetstream/clients.ts";
import { type OthersConnection, othersLogin } from "../../live/jetstream/connection.ts";
import { askToldFleet, NotSystemAccount } from "../../live/monitoring/told-fleet.ts";

/** A cluster that others run, as it answers. */
export interface AskedCluster extends KnownCluster {
  readonly accounts: readonly AskedAccount[];
}

/** An account as the servers tell of it to its login. */
export interface AskedAccount extends KnownAccount {
  /** Path of its login in the settings. */
  readonly setting: string;
  /** Absent: they aren't known, or there are none. */
  readonly permissions?: OwnPermissions;
}

/** What the account of `login` is called where nobody can be asked. */
const UNASKED = "APP";

/** What is known of a cluster without asking its servers. */
export function unaskedCluster(settings: ExistingSettings): AskedCluster {
  const { account = UNASKED, others, topology } = settings;
  return {
    ...knownFleet(topology?.servers[0]?.cluster ?? "", settings),
    accounts: [account, ...others].map((name, index) => ({
      name,
      limits: {},
      setting: index === 0 ? "login" : `accounts.${name}.login`,
    })),
  };
}

/**
 * Logs in to each account, and asks the servers who they are.
 *
 * @param connection whose `account` is what the settings call it, or empty.
 * @throws pulumi.RunError with all that stands in the way, one line each.
 */
export async function askExisting(
  settings: ExistingSettings,
  connection: OthersConnection,
  system: Login | undefined,
): Promise<AskedCluster> {
  try {
    const names = [connection.account, ...settings.others];
    const answers = await Promise.all([
      ...names.map((name) => attempt(() => askAccount(connection, name))),
    ]);
    const told = system && (await attempt(() => askSystem(settings, connection, system)));
    const failures = [...answers, ...(told ? [told] : [])].flatMap((each) =>
      "failure" in each ? [each.failure] : [],
    );
    if (failures.length > 0) throw refusal(failures);
    const accounts = answers.flatMap((each) => ("found" in each ? [each.found] : []));
    const fleet = told && "found" in told ? told.found : undefined;
    const [first] = accounts;
    return {
      ...knownFleet(first?.access.cluster ?? "", settings, fleet),
      accounts: accounts.map(({ access: _, ...account }) => account),
      ...oldestOf(
        accounts.map(({ access }) => access),
        fleet,
      ),
    };
  } finally {
    await closeUnused();
  }
}

function refusal(failures: readonly string[]): pulumi.RunError {
  const lines = [...new Set(failures)];
  const text = lines.length === 1 ? lines[0] : lines.map((line) => `\n  ${line}`).join("");
  return new pulumi.RunError(`nothing was changed: ${text}`);
}

type Attempt<Found> = { readonly found: Found } | { readonly failure: string };

/** Errors that are for users become failures, so that all of them are told at once. */
async function attempt<Found>(work: () => Promise<Found>): Promise<Attempt<Found>> {
  try {
    return { found: await work() };
  } catch (error) {
    if (error instanceof ClusterUnreachable) return { failure: `servers: ${error.message}` };
    const isForUsers =
      error instanceof AccessDenied ||
      error instanceof NoJetStream ||
      error instanceof NotSystemAccount;
    if (!isForUsers) throw error;
    return { failure: error.message };
  }
}

async function askAccount(connection: OthersConnection, name: string) {
  const login = othersLogin(connection, name);
  const setting = login.foreign?.setting ?? "login";
  const access = await askOwnAccess(login, name);
  const account = name || access.account || UNASKED;
  return {
    name: account,
    setting,
    access,
    limits: await limitsOf(connection, name, account, access),
    ...(access.permissions ? { permissions: access.permissions } : {}),
  };
}

/** A login that may not ask for limits is refused below for all that it may not do. */
async function limitsOf(
  connection: OthersConnection,
  name: string,
  account: string,
  { permissions }: OwnAccess,
): Promise<JetStreamLimits> {
  const login = othersLogin(connection, name);
  try {
    return await askLimits(login, account);
  } catch (error) {
    if (error instanceof AccessDenied && permissions) return {};
    if (!(error instanceof NoJetStream)) throw error;
    const prefix = login.foreign?.apiPrefix;
    const where = prefix === undefined ? "" : ` at ${prefix}`;
    throw new NoJetStream(
      `${login.foreign?.setting}: account ${account} has no JetStream${where} (${error.message}); have it switched on there, or give the login of another account${prefix === undefined ? "" : ", or another domain or apiPrefix"}`,
      { cause: error },
    );
  }
}

async function askSystem(
  { domain }: ExistingSettings,
  { logins: _, account: __, apiPrefix: ___, patience: ____, ...servers }: OthersConnection,
  system: Login,
): Promise<ToldFleet> {
  const connection = { ...servers, ...system, foreign: { setting: "systemLogin" } };
  try {
    return await askToldFleet({ connection, account: "$SYS" }, domain);
  } catch (error) {
    if (!(error instanceof NotSystemAccount)) throw error;
    throw new NotSystemAccount(
      `systemLogin: ${error.message}; give the login of one, or list the servers in topology instead`,
      { cause: error },
    );
  }
}

/** The oldest server that is known, and the lowest level of the API. */
function oldestOf(
  accesses: readonly OwnAccess[],
  told: ToldFleet | undefined,
): { readonly oldest?: OldestServer } {
  const all = [
    ...accesses.map(({ server, version, apiLevel }) => ({ server, version, apiLevel })),
    ...(told?.servers ?? []).map(({ name, version, apiLevel }) => ({
      server: name,
      version,
      apiLevel,
    })),
  ];
  const [first, ...others] = all;
  if (!first) return {};
  const oldest = others.reduce((a, b) => (isOlder(b.version, a.version) ? b : a), first);
  return { oldest: { ...oldest, apiLevel: Math.min(...all.map(({ apiLevel }) => apiLevel)) } };
}
