import * as pulumi from "@pulumi/pulumi";
import type { Accounts } from "../lib/accounts/accounts-conf.ts";
import { hashPassword, managerKey, managerPublicKey } from "../lib/accounts/credentials.ts";
import { PlanError } from "../lib/base/errors.ts";
import { type Passwords, passwordProblems, passwordsOfUsers } from "../lib/plan/passwords.ts";
import { type ClusterPlan, planCluster } from "../lib/plan/plan.ts";
import {
  identityName,
  parseSettings,
  type Settings,
  type StackIdentity,
  settingsPlaceOf,
} from "../lib/plan/settings.ts";
import type { Identity } from "../lib/plan/stack-identity.ts";
import type { Engine } from "../live/engine/engine.ts";
import type { UserLogin } from "../live/jetstream/connection.ts";
import type { ClusterSource, NatsClusterArgs } from "./cluster-args.ts";
import { refuseUnreachable } from "./foresight/engine-refusals.ts";
import { knownValue } from "./known-value.ts";
import { type Ownership, ownershipOf } from "./ownership.ts";
import { keepIdentity } from "./steps/identity-note.ts";
import { type Teller, tellerOf } from "./teller.ts";

/** A cluster as it is planned, and what its resources need beside the plan. */
export interface PlannedCluster {
  readonly plan: ClusterPlan;
  readonly ownership: Ownership;
  /** What the servers know of accounts and users, as a secret. */
  readonly accounts: pulumi.Output<Accounts>;
  /** What the stack itself logs in with, as a secret. */
  readonly access: pulumi.Output<Access>;
  /** Speaks for the cluster. */
  readonly tell: Teller;
}

export interface Access {
  readonly system: UserLogin;
  /** Leads to the nkeys of the stack's own users; see `managerSeed`. */
  readonly managerKey: string;
}

/**
 * Plans a cluster from its settings. Its passwords go another way than the plan: into hashes and keys, which are worked
 * out while the engine is looked at.
 *
 * @param name the names that it has in this run.
 * @param owner see {@link NatsClusterArgs.owner}.
 * @param parent the cluster.
 * @throws PlanError; pulumi.RunError
 */
export async function planFrom(
  engine: Engine,
  source: ClusterSource,
  name: StackIdentity,
  owner: NatsClusterArgs["owner"],
  parent: pulumi.Resource,
): Promise<PlannedCluster> {
  // What is wrong whoever the cluster is gets refused before anything is noted down.
  const settings = settingsOf(source, name);
  const place = settingsPlaceOf(name);
  refuseUnreachable(engine, settings, place);
  const identity = await keepIdentity(engine, name, owner, parent);
  const isRenamed = identityName(identity, "/") !== identityName(name, "/");
  const plan = planCluster(isRenamed ? settingsOf(source, identity) : settings);
  // Some are made by resources that a preview has yet to make.
  const { passwords, systemPassword } = source;
  const known = await knownValue(passwords);
  const problems = known === undefined ? [] : passwordProblems(plan, known);
  if (problems.length > 0) throw new PlanError(problems);
  const ownership = ownershipOf(identity);
  const access = systemPassword.apply((password = "") => deriveAccess(plan, password, identity));
  // Beside the key, which takes as long.
  const hashes = passwords.apply((all) => hashAll(plan, all, identity));
  const accounts = pulumi
    .all([hashes, access])
    .apply(([known, { managerKey }]) => accountsOf(plan, known, managerKey));
  return {
    plan,
    ownership,
    accounts,
    access,
    tell: tellerOf(place === "program" ? parent : undefined),
  };
}

/** A cluster is called by the name that it was made under, unless it is given another one. */
function settingsOf({ settings }: ClusterSource, identity: StackIdentity): Settings {
  const { cluster } = identity;
  return parseSettings({ ...(cluster === undefined ? {} : { cluster }), ...settings }, identity);
}

async function deriveAccess(
  { systemUser: user }: ClusterPlan,
  password: string,
  { owner }: Identity,
): Promise<Access> {
  return { system: { user, password }, managerKey: await managerKey(password, owner) };
}

/** The hashes of users' passwords, by name. */
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
  { systemUser, accounts }: ClusterPlan,
  hashes: Accounts["hashes"],
  key: string,
): Accounts {
  const withStreams = accounts.filter(({ jetStream }) => jetStream !== false);
  const managers = withStreams.map(({ name }) => [name, managerPublicKey(key, name)] as const);
  return { systemUser, accounts, hashes, managers: Object.fromEntries(managers) };
}
