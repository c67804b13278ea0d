import { PASSWORD_PLACEHOLDER } from "../../lib/accounts/hidden-passwords.ts";
import { type ClusterPlan, planCluster } from "../../lib/plan/plan.ts";
import {
  decodeSettings,
  PASSWORDS,
  parseSettings,
  type Settings,
} from "../../lib/plan/settings.ts";
import { type FiledSettings, readStackSettings } from "./settings-file.ts";
import { type ConfigValues, projectName, readStackConfig, type Stack, stackName } from "./stack.ts";

/** A stack's settings and their plan. */
export interface PlannedStack {
  readonly settings: Settings;
  readonly plan: ClusterPlan;
}

/** Plans a stack from its settings. @throws PlanError naming the problems. */
export async function readPlan(stack: Stack): Promise<PlannedStack> {
  const config = await readStackConfig(stack);
  const namespace = projectName();
  const texts = Object.entries(config).flatMap(([key, { value }]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const raw = {
    ...decodeSettings(Object.fromEntries(texts), namespace),
    ...readPartlySecret(stack, config, `${namespace}:`),
  };
  const settings = parseSettings(raw, { project: namespace, stack: stackName(stack.name) });
  return { settings, plan: planCluster(settings) };
}

/** The CLI hides a setting that contains a secret as a whole; the file shows its other values. */
function readPartlySecret(
  { name: stack }: Stack,
  config: ConfigValues,
  prefix: string,
): Record<string, unknown> {
  const hidden = Object.entries(config)
    .filter(([key, { value, secret }]) => secret && value === undefined && key.startsWith(prefix))
    .map(([key]) => key.slice(prefix.length));
  const isPassword = (name: string) => PASSWORDS.has(name);
  const filed: FiledSettings["raw"] = hidden.every(isPassword) ? {} : readStackSettings(stack).raw;
  return Object.fromEntries(
    hidden.map((name) => [name, isPassword(name) ? PASSWORD_PLACEHOLDER : filed[name]] as const),
  );
}
