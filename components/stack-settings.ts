import * as pulumi from "@pulumi/pulumi";
import { PlanError, type Problem } from "../lib/errors.ts";
import type { Accounts } from "../lib/nats-conf.ts";
import { type ClusterPlan, planCluster } from "../lib/plan.ts";
import { decodeSettings, parseSettings, type Settings } from "../lib/settings.ts";

/** What the settings of the running stack come to. */
export interface StackPlan {
  readonly plan: ClusterPlan;
  /** With their passwords, as a secret. */
  readonly accounts: pulumi.Output<Accounts>;
}

/**
 * Plans the running stack from its settings.
 *
 * @throws pulumi.RunError, which is shown without a stack trace, naming what is wrong with them.
 */
export function planStack(): StackPlan {
  try {
    const config = new pulumi.Config();
    const identity = { project: pulumi.getProject(), stack: pulumi.getStack() };
    const raw = decodeSettings(pulumi.runtime.allConfig(), config.name);
    const settings = parseSettings(raw, identity);
    return { plan: planCluster(settings), accounts: readAccounts(config, settings) };
  } catch (error) {
    throw error instanceof PlanError ? new pulumi.RunError(error.message) : error;
  }
}

function readAccounts(
  config: pulumi.Config,
  { account, user, systemUser }: Settings,
): pulumi.Output<Accounts> {
  const password = config.getSecret("password");
  const systemPassword = config.getSecret("systemPassword");
  if (!password || !systemPassword) {
    throw new PlanError([
      ...(password ? [] : [missingPassword("password", user)]),
      ...(systemPassword ? [] : [missingPassword("systemPassword", systemUser)]),
    ]);
  }
  return pulumi.secret(
    pulumi.all([password, systemPassword]).apply(([application, system]) => ({
      system: { user: systemUser, password: system },
      name: account,
      application: { user, password: application },
    })),
  );
}

function missingPassword(name: string, user: string): Problem {
  return {
    path: name,
    message: `user ${user} has no password`,
    fix: `set one: npx pulumi config set --secret ${name}`,
  };
}
