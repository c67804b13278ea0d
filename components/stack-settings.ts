import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Accounts } from "../lib/accounts/accounts-conf.ts";
import { hashPassword, managerKey, managerPublicKey } from "../lib/accounts/credentials.ts";
import { passwordsOf, plainPasswordsIn } from "../lib/accounts/hidden-passwords.ts";
import { PlanError } from "../lib/base/errors.ts";
import { type Passwords, passwordProblems, passwordsOfUsers } from "../lib/plan/passwords.ts";
import { type ClusterPlan, planCluster } from "../lib/plan/plan.ts";
import { decodeSettings, parseSettings } from "../lib/plan/settings.ts";
import type { Engine } from "../live/engine/engine.ts";
import type { UserLogin } from "../live/jetstream/connection.ts";
import { keepIdentity } from "./identity-note.ts";
import { type Ownership, ownershipOf } from "./ownership.ts";
import { refuseUnreachable } from "./preflight.ts";

/** What the settings of the running stack come to. */
export interface StackPlan {
  readonly plan: ClusterPlan;
  readonly ownership: Ownership;
  /** What the servers know of accounts and users, as a secret. */
  readonly accounts: pulumi.Output<Accounts>;
  /** What the stack itself logs in with, as a secret. */
  readonly access: pulumi.Output<Access>;
}

export interface Access {
  readonly system: UserLogin;
  /** Leads to the nkeys of the stack's own users; see `managerSeed`. */
  readonly managerKey: string;
}

/**
 * Plans the running stack from its settings. Its passwords go another way than the plan: into hashes and keys, which
 * are worked out while the engine is looked at.
 *
 * @throws pulumi.RunError, which is shown without a stack trace, naming what is wrong with them.
 */
export async function planStack(engine: Engine): Promise<StackPlan> {
  try {
    const config = new pulumi.Config();
    const raw = decodeSettings(pulumi.runtime.allConfig(), config.name);
    const named = { project: pulumi.getProject(), stack: pulumi.getStack() };
    // What is wrong whoever the stack is gets refused before anything is noted down.
    const settings = parseSettings(raw, named);
    refuseUnreachable(engine, settings);
    const identity = await keepIdentity(engine);
    const isRenamed = identity.project !== named.project || identity.stack !== named.stack;
    const plan = planCluster(isRenamed ? parseSettings(raw, identity) : settings);
    const passwords = await readPasswords(config, plan);
    const ownership = ownershipOf(identity);
    const secrets = deriveSecrets(plan, passwords, ownership.label.value);
    return {
      plan,
      ownership,
      accounts: pulumi.secret(secrets.then(({ accounts }) => accounts)),
      access: pulumi.secret(secrets.then(({ access }) => access)),
    };
  } catch (error) {
    throw error instanceof PlanError ? new pulumi.RunError(error.message) : error;
  }
}

async function readPasswords(config: pulumi.Config, plan: ClusterPlan): Promise<Passwords> {
  const all = pulumi.runtime.allConfig();
  const read = (name: string) => all[`${config.name}:${name}`];
  const users = passwordsOf(JSON.parse(read("accounts") ?? "{}"));
  const encrypted = secretSettings(config);
  const passwords = {
    system: read("systemPassword"),
    simple: read("password"),
    users,
    encrypted,
    // One alone is what makes the setting an encrypted one.
    plainUsers:
      encrypted.includes("accounts") && Object.keys(users).length > 1
        ? await readPlainUsers(config)
        : [],
  };
  const problems = passwordProblems(plan, passwords);
  if (problems.length > 0) throw new PlanError(problems);
  return passwords;
}

/** The names of settings with anything encrypted in them. The SDK keeps it to itself. */
function secretSettings({ name: namespace }: pulumi.Config): string[] {
  const keys = z.array(z.string()).parse(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]"));
  return keys.map((key) => key.replace(`${namespace}:`, ""));
}

/**
 * Of a setting with anything encrypted in it, Pulumi tells the program no more than that; the stack's file does, if it
 * is where it belongs.
 */
async function readPlainUsers({ name }: pulumi.Config): Promise<readonly string[]> {
  // Loaded for those who need it: it takes longer than all the rest of this file.
  const { parse } = await import("yaml");
  try {
    const settings: unknown = parse(readFileSync(`Pulumi.${pulumi.getStack()}.yaml`, "utf8"));
    const { config } = stackFile.parse(settings);
    return plainPasswordsIn(config[`${name}:accounts`] ?? config.accounts);
  } catch {
    // Somewhere else, by --config-file.
    return [];
  }
}

const stackFile = z.object({ config: z.record(z.string(), z.unknown()) });

async function deriveSecrets(
  plan: ClusterPlan,
  passwords: Passwords,
  owner: string,
): Promise<{ readonly accounts: Accounts; readonly access: Access }> {
  const { systemUser } = plan;
  const system = passwords.system ?? "";
  const users = [
    { account: "$SYS", user: systemUser, password: system },
    ...passwordsOfUsers(plan, passwords),
  ];
  const [key, ...hashes] = await Promise.all([
    managerKey(system, owner),
    ...users.map(async ({ account, user, password = "" }) => {
      return [user, await hashPassword(password, owner, account, user)] as const;
    }),
  ]);
  const withStreams = plan.accounts.filter(({ jetStream }) => jetStream !== false);
  const managers = withStreams.map(({ name }) => [name, managerPublicKey(key, name)] as const);
  return {
    accounts: {
      systemUser,
      accounts: plan.accounts,
      hashes: Object.fromEntries(hashes),
      managers: Object.fromEntries(managers),
    },
    access: { system: { user: systemUser, password: system }, managerKey: key },
  };
}
