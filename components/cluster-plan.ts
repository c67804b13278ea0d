import * as pulumi from "@pulumi/pulumi";
import type { Accounts } from "../lib/accounts/accounts-conf.ts";
import { encryptionKeyMark, hashPassword, managerKey } from "../lib/accounts/credentials.ts";
import { managerPublicKey, managerSeed } from "../lib/accounts/nkeys.ts";
import { PlanError } from "../lib/base/errors.ts";
import { bucketSubjects } from "../lib/buckets/bucket-stream.ts";
import type { NodeSecrets } from "../lib/nodes/nats-conf.ts";
import { type Passwords, passwordProblems, passwordsOfUsers } from "../lib/plan/passwords.ts";
import {
  type ClusterPlan,
  nodesOf,
  planCluster,
  UNKNOWN_KEY,
  withKeyMark,
} from "../lib/plan/plan.ts";
import {
  identityName,
  parseSettings,
  type Settings,
  type StackIdentity,
  settingsPlaceOf,
} from "../lib/plan/settings.ts";
import type { Identity } from "../lib/plan/stack-identity.ts";
import { EngineMap } from "../lib/topology/engines.ts";
import { EngineRefuses } from "../live/engine/answering-engines.ts";
import { type Engine, nothing, textField } from "../live/engine/engine.ts";
import {
  type ClusterEngines,
  EnginesChanged,
  engineOf,
  findEngines,
  unaskedEngines,
} from "../live/engine/engines-of.ts";
import { type ClusterLogin, ownLogin, readOwnLogin } from "../live/engine/own-login.ts";
import type { UserLogin } from "../live/jetstream/connection.ts";
import type { ClusterSource, NatsClusterArgs } from "./cluster-args.ts";
import { PROVIDER_INFIX } from "./engine-parts.ts";
import { knownValue, promiseOf } from "./known-value.ts";
import { type Logger, loggerOf } from "./logger.ts";
import { isMocked, organizationOfRun } from "./mocked.ts";
import { type Ownership, ownerFilter, ownershipOf } from "./ownership.ts";
import { refuseEngines, refuseSilence } from "./preflight/engine-refusals.ts";
import { keepIdentity } from "./steps/identity-note.ts";

/** A planned cluster, and what its resources need besides the plan. */
export interface PlannedCluster extends ClusterEngines {
  readonly plan: ClusterPlan;
  readonly ownership: Ownership;
  /** Accounts and users as the servers know them, and the encryption key; a secret. */
  readonly accounts: pulumi.Output<NodeSecrets>;
  /** The logins of the stack itself; a secret. */
  readonly access: pulumi.Output<Access>;
  /** The seed of the nkey by which the stack looks at its cluster; a secret. */
  readonly monitorSeed: pulumi.Output<string>;
  /** By which its nodes are asked so far; a secret. */
  readonly login: ClusterLogin;
  /** Logs messages about the cluster. */
  readonly log: Logger;
}

export interface Access {
  readonly system: UserLogin;
  /** The seed of the stack's own user that takes nodes out, where the system user's password is of no use. */
  readonly remover: string;
  /** The key from which the nkeys of the stack's own users are derived; see `managerSeed`. */
  readonly managerKey: string;
}

/**
 * Plans a cluster from its settings. Passwords aren't part of the plan: they become hashes and keys, which are computed
 * while the engine is inspected.
 *
 * @param name the project, stack and cluster names of this run.
 * @param owner see {@link NatsClusterArgs.owner}.
 * @param parent the cluster.
 * @throws PlanError; pulumi.RunError
 */
export async function planFrom(
  source: ClusterSource,
  name: StackIdentity,
  owner: NatsClusterArgs["owner"],
  parent: pulumi.Resource,
): Promise<PlannedCluster> {
  // Settings that are wrong for any identity are refused before the identity is noted in the state.
  const settings = settingsOf(source, name);
  const place = settingsPlaceOf(name);
  const found = await enginesFor(settings, name, parent);
  const { engines, answering } = found;
  await refuseEngines(engines, settings, place);
  refuseSilence(found);
  const identity = await keepIdentity(engines, name, owner, parent);
  const isRenamed = identityName(identity, "/") !== identityName(name, "/");
  const bare = planCluster(isRenamed ? settingsOf(source, identity) : settings);
  // In a preview, passwords may come from resources that don't exist yet.
  const { passwords, systemPassword, encryptionKey } = source;
  const known = await knownValue(passwords);
  const problems = known === undefined ? [] : passwordProblems(bare, known);
  if (problems.length > 0) throw new PlanError(problems);
  const plan = bare.isEncrypted ? await markKey(bare, encryptionKey, identity) : bare;
  const ownership = ownershipOf(identity);
  const login = await findOwnLogin(answering, plan, ownership);
  const access = systemPassword.apply((password = "") => deriveAccess(plan, password, identity));
  // Computed in parallel with the key, which takes as long.
  const hashes = passwords.apply((all) => hashAll(plan, all, identity));
  const monitorSeed = pulumi.secret(
    access.apply(({ managerKey }) => managerSeed(managerKey, "$SYS")),
  );
  const accounts = pulumi
    .all([hashes, access, encryptionKey])
    .apply(([known, { managerKey }, key]) => ({
      ...accountsOf(plan, known, managerKey),
      ...(key === undefined ? {} : { encryptionKey: key }),
    }));
  return {
    plan,
    ...found,
    ownership,
    accounts,
    access,
    monitorSeed,
    login,
    log: loggerOf(place === "program" ? parent : undefined),
  };
}

/** The default cluster name is the one that the cluster was created with. */
function settingsOf({ settings }: ClusterSource, identity: StackIdentity): Settings {
  const { cluster } = identity;
  return parseSettings({ ...(cluster === undefined ? {} : { cluster }), ...settings }, identity);
}

async function markKey(
  plan: ClusterPlan,
  encryptionKey: ClusterSource["encryptionKey"],
  { owner }: Identity,
): Promise<ClusterPlan> {
  const key = await knownValue(encryptionKey);
  return withKeyMark(plan, key === undefined ? UNKNOWN_KEY : await encryptionKeyMark(key, owner));
}

/** In the place of an account's name, as the system account has another user of the stack's own. */
const REMOVER = "$SYS members";

async function deriveAccess(
  { systemUser: user }: ClusterPlan,
  password: string,
  { owner }: Identity,
): Promise<Access> {
  const key = await managerKey(password, owner);
  return { system: { user, password }, remover: managerSeed(key, REMOVER), managerKey: key };
}

/** @throws pulumi.RunError */
async function enginesFor(
  settings: Settings,
  { project, stack, cluster }: StackIdentity,
  parent: pulumi.Resource,
): Promise<ClusterEngines> {
  const planned = new EngineMap(settings.engines).all;
  if (isMocked()) return unaskedEngines(planned);
  const name = { organization: organizationOfRun(), project, stack };
  const { lost } = settings;
  const urn = cluster === undefined && lost.length === 0 ? "" : await promiseOf(parent.urn);
  // In a program, other clusters have engines of their own.
  const own = cluster === undefined ? undefined : urn;
  try {
    return await findEngines(planned, name, own, {
      lost,
      prefix: `${nameIn(urn)}${PROVIDER_INFIX}`,
    });
  } catch (error) {
    if (error instanceof EnginesChanged || error instanceof EngineRefuses) {
      throw new pulumi.RunError(error.message);
    }
    throw error;
  }
}

/** The name of a resource. */
function nameIn(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

/** The login to nodes that there are. Any node's will mostly do, so the first node is asked before all are listed. */
async function findOwnLogin(
  engines: readonly Engine[],
  plan: ClusterPlan,
  ownership: Ownership,
): Promise<ClusterLogin> {
  if (isMocked()) return {};
  const answers = new Set(engines.map(({ key }) => key));
  const first = nodesOf(plan)
    .filter(({ engine }) => answers.has(engine?.key ?? ""))
    .slice(0, 1)
    .map((node) => ({ engine: engineOf(engines, node), container: node.containerName }));
  const filter = `--filter=label=${ownerFilter(ownership)}`;
  const list = async () => {
    const lists = engines.map(async (engine) => {
      const found = engine.list({ container: textField(".Names") }, "ps", "--all", filter);
      return (await found.catch(nothing)).map(({ container }) => ({ engine, container }));
    });
    return (await Promise.all(lists)).flat();
  };
  const found = (await readOwnLogin(first)) ?? (await readOwnLogin(await list()));
  return ownLogin(found, list);
}

/** Hashes of the users' passwords, by user name. */
async function hashAll(
  plan: ClusterPlan,
  passwords: Passwords,
  { owner }: Identity,
): Promise<Accounts["hashes"]> {
  const users = [
    { account: "$SYS", user: plan.systemUser, password: passwords.system },
    ...passwordsOfUsers(plan, passwords),
  ];
  const hashes = users.map(async ({ account, user, password = "" }) => {
    return [user, await hashPassword(password, owner, account, user)] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

function accountsOf(
  { systemUser, accounts, streams, clientCertificates }: ClusterPlan,
  hashes: Accounts["hashes"],
  key: string,
): Accounts {
  const withStreams = accounts.filter(({ jetStream }) => jetStream !== false);
  const own = [...withStreams.map(({ name }) => name), "$SYS"];
  const managers = own.map((name) => [name, managerPublicKey(key, name)] as const);
  return {
    systemUser,
    accounts,
    hashes,
    managers: Object.fromEntries(managers),
    ...writtenBy(streams),
    ...(clientCertificates?.map ? { remover: managerPublicKey(key, REMOVER) } : {}),
  };
}

/** The subjects of the buckets whose entries the stack writes. */
function writtenBy(streams: ClusterPlan["streams"]): Pick<Accounts, "written"> {
  const subjects = streams.flatMap(({ account, bucket }) =>
    bucket && bucket.entries.length > 0 ? [{ account, subject: bucketSubjects(bucket.name) }] : [],
  );
  if (subjects.length === 0) return {};
  const byAccount = [...Map.groupBy(subjects, ({ account }) => account)];
  return {
    written: Object.fromEntries(
      byAccount.map(([account, each]) => [account, each.map(({ subject }) => subject).sort()]),
    ),
  };
}
