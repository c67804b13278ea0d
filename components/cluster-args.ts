import * as pulumi from "@pulumi/pulumi";
import {
  hidePasswords,
  mapPasswords,
  PASSWORD_PLACEHOLDER,
} from "../lib/accounts/hidden-passwords.ts";
import { withoutUndefined } from "../lib/base/records.ts";
import type { SettingsPlace } from "../lib/base/settings-place.ts";
import type { Passwords } from "../lib/plan/passwords.ts";
import type { ClusterSettings } from "./args.ts";
import type { Transforms } from "./transforms.ts";

/** A cluster as a program declares it: the settings, passwords as `Input`s, and what is between it and Pulumi. */
export interface NatsClusterArgs extends ClusterSettings {
  /** Changes the args that containers and volumes are made from, for what has no setting. */
  readonly transform?: Transforms;
  /**
   * Where the settings stand. In the program: names on the engine begin with `<project>-<stack>-<name>`. In the config of
   * the stack, which then has this one cluster: they begin with `<project>-<stack>`. Another value means another cluster.
   * @default "program"
   */
  readonly settingsIn?: SettingsPlace;
  /**
   * Whether this is a preview that saves its plan (`--save-plan`), or an `up` that goes by one (`--plan`). Pulumi doesn't
   * tell the program, and both have to be made from the same. @default false
   */
  readonly goesByPlan?: boolean;
  /**
   * The owner that a refusal names: takes over what is on the engine under the names of this cluster, if its state is lost
   * for good. Counts until the state has noted down the owner. Where the config has the settings, the variable
   * NATS_REGIONS_OWNER says it. @default a new cluster
   */
  readonly owner?: string;
}

/** What is planned from, and the secrets that no plan has in it. */
export interface ClusterSource {
  /** Settings as people write them; of passwords, that they are there. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly passwords: pulumi.Output<Passwords>;
  /** Known where others are yet to be made: what streams are reached with follows from it alone. */
  readonly systemPassword: pulumi.Output<string | undefined>;
}

/**
 * Parts the settings from their passwords, and from all that is no setting.
 *
 * @param streams those of the args and those beside the cluster, by name.
 */
export function sourceOf(
  {
    transform: _transform,
    settingsIn: _settingsIn,
    goesByPlan: _goesByPlan,
    owner: _owner,
    ...settings
  }: NatsClusterArgs,
  streams: ClusterSettings["streams"],
): ClusterSource {
  const { systemPassword, password, accounts } = settings;
  const users = new Map<string, pulumi.Input<string>>();
  const collect = (given: unknown, user: string) => {
    if (!isInput(given)) return given;
    users.set(user, given);
    return PASSWORD_PLACEHOLDER;
  };
  const hidden = hidePasswords(mapPasswords(accounts, collect));
  return {
    settings: withoutUndefined({
      ...settings,
      streams,
      ...(systemPassword === undefined ? {} : { systemPassword: PASSWORD_PLACEHOLDER }),
      ...(password === undefined ? {} : { password: PASSWORD_PLACEHOLDER }),
      ...(accounts === undefined ? {} : { accounts: hidden }),
    }) as ClusterSource["settings"],
    passwords: readPasswords(systemPassword, password, users),
    systemPassword: pulumi.secret(systemPassword),
  };
}

function isInput(value: unknown): value is pulumi.Input<string> {
  return typeof value === "string" || pulumi.Output.isInstance(value) || value instanceof Promise;
}

function readPasswords(
  systemPassword: pulumi.Input<string> | undefined,
  password: pulumi.Input<string> | undefined,
  users: ReadonlyMap<string, pulumi.Input<string>>,
): pulumi.Output<Passwords> {
  const given = { systemPassword, password, accounts: Object.fromEntries(users) };
  const secrecy = {
    systemPassword: isSecret(systemPassword),
    password: isSecret(password),
    users: Object.fromEntries([...users].map(([user, each]) => [user, isSecret(each)])),
  };
  return pulumi.secret(
    pulumi.all([given, secrecy]).apply(([{ systemPassword, password, accounts }, isSecret]) => ({
      system: systemPassword,
      simple: password,
      users: accounts,
      encrypted: [
        ...(isSecret.systemPassword ? ["systemPassword"] : []),
        ...(isSecret.password ? ["password"] : []),
        "accounts",
      ],
      plainUsers: Object.keys(accounts).filter((user) => !isSecret.users[user]),
    })),
  );
}

async function isSecret(password: pulumi.Input<string> | undefined): Promise<boolean> {
  return password !== undefined && (await pulumi.isSecret(pulumi.output(password)));
}
