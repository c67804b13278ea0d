import type { Accounts } from "../../lib/accounts/accounts-conf.ts";
import { hashPassword, managerKey } from "../../lib/accounts/credentials.ts";
import { managerPublicKey } from "../../lib/accounts/nkeys.ts";
import { type ClusterPlan, planCluster } from "../../lib/plan/plan.ts";
import { decodeSettings, parseSettings } from "../../lib/plan/settings.ts";

/** Every user's password is its name and a number. */
export const passwordOf = (user: string) => `${user}-4711`;

/** In the place of a password in settings. */
export const PASSWORD_PLACEHOLDER = { password: "(given)" };

/** A plan with some accounts, as its settings have them. */
export function planOf(accounts: object, others: object = {}): ClusterPlan {
  const settings = {
    ...decodeSettings({ "x:accounts": JSON.stringify(accounts) }, "x"),
    ...PASSWORD_PLACEHOLDER,
    ...others,
  };
  return planCluster(parseSettings(settings, { project: "nats-regions", stack: "dev" }));
}

/** The accounts of a plan with all that servers need to let users in. */
export async function accountsOf({
  accounts,
  systemUser,
}: Pick<ClusterPlan, "accounts" | "systemUser">): Promise<Accounts> {
  const users = [
    systemUser,
    ...accounts.flatMap((account) => account.users.map(({ name }) => name)),
  ];
  const hashes = users.map(async (user) => [
    user,
    await hashPassword(passwordOf(user), "owner", "account", user),
  ]);
  const key = await managerKey(passwordOf("sys"), "owner");
  const managers = accounts
    .filter(({ jetStream }) => jetStream !== false)
    .map(({ name }) => [name, managerPublicKey(key, name)]);
  return {
    systemUser,
    accounts,
    hashes: Object.fromEntries(await Promise.all(hashes)),
    managers: Object.fromEntries(managers),
  };
}
