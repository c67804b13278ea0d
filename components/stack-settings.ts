import * as pulumi from "@pulumi/pulumi";
import { PlanError } from "../lib/errors.ts";
import type { Accounts } from "../lib/nats-conf.ts";
import { readPasswords } from "../lib/passwords.ts";
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
    const texts = pulumi.runtime.allConfig();
    const settings = parseSettings(decodeSettings(texts, config.name), identity);
    const plan = planCluster(settings);
    return { plan, accounts: pulumi.secret(readAccounts(texts, config.name, settings)) };
  } catch (error) {
    throw error instanceof PlanError ? new pulumi.RunError(error.message) : error;
  }
}

function readAccounts(
  texts: Readonly<Record<string, string>>,
  project: string,
  settings: Settings,
): Accounts {
  const { password, systemPassword } = readPasswords(texts, project, settings);
  const { account: name, user, systemUser } = settings;
  return {
    system: { user: systemUser, password: systemPassword },
    name,
    application: { user, password },
  };
}
