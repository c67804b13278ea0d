import * as pulumi from "@pulumi/pulumi";
import {
  hidePasswords,
  mapPasswords,
  PASSWORD_PLACEHOLDER,
} from "../lib/accounts/hidden-passwords.ts";
import { isMap, withoutUndefined } from "../lib/base/records.ts";
import type { SettingsPlace } from "../lib/base/settings-place.ts";
import { mapEntries } from "../lib/buckets/hidden-entries.ts";
import type { Passwords } from "../lib/plan/passwords.ts";
import type { ClusterSettings } from "./args.ts";
import type { Transforms } from "./transforms.ts";

/** A cluster as a program declares it: its settings, with passwords as `Input`s, and options for Pulumi. */
export interface NatsClusterArgs extends ClusterSettings {
  /** Changes the args of containers and volumes beyond what the settings offer. */
  readonly transform?: Transforms;
  /**
   * Where the settings are: in the program, where names on the engine begin with `<project>-<stack>-<name>`; or in the
   * config of the stack, which then has this one cluster, where names begin with `<project>-<stack>`. Another value
   * means another cluster. @default "program"
   */
  readonly settingsIn?: SettingsPlace;
  /**
   * Whether this is a preview that saves its plan (`--save-plan`), or an `up` that uses one (`--plan`): Pulumi tells a
   * program neither, and the inputs have to be the same in both. @default false
   */
  readonly goesByPlan?: boolean;
  /**
   * Takes over what is on the engine under the names of this cluster, after its state was lost for good: the owner that
   * a refusal names. It is ignored once the state has noted an owner. With the settings in the config,
   * NATS_REGIONS_OWNER has the same effect. @default a new cluster
   */
  readonly owner?: string;
}

/** What a program has declared, by the settings that have it. */
export type DeclaredSettings = Required<
  Pick<ClusterSettings, "streams" | "buckets" | "objectStores">
>;

/** The input of planning, and the secrets, which no plan contains. */
export interface ClusterSource {
  /** Settings as users write them; in the place of each password, a placeholder. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly passwords: pulumi.Output<Passwords>;
  /** Known even if other passwords aren't yet: the streams' login is derived from it alone. */
  readonly systemPassword: pulumi.Output<string | undefined>;
  /** Separate for the same reason: nodes are compared by it. */
  readonly encryptionKey: pulumi.Output<string | undefined>;
}

/**
 * Separates the settings from their passwords, from the values of buckets' entries, and from the other args.
 *
 * @param declared streams, buckets and object stores of the args, and those that were declared separately, by name.
 */
export function sourceOf(
  {
    transform: _transform,
    settingsIn: _settingsIn,
    goesByPlan: _goesByPlan,
    owner: _owner,
    ...settings
  }: NatsClusterArgs,
  declared: DeclaredSettings,
): ClusterSource {
  const { systemPassword, password, encryptionKey, accounts } = settings;
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
      ...withDeclared(settings, declared),
      ...(systemPassword === undefined ? {} : { systemPassword: PASSWORD_PLACEHOLDER }),
      ...(password === undefined ? {} : { password: PASSWORD_PLACEHOLDER }),
      ...(encryptionKey === undefined ? {} : { encryptionKey: PASSWORD_PLACEHOLDER }),
      ...(accounts === undefined ? {} : { accounts: hidden }),
    }) as ClusterSource["settings"],
    passwords: readPasswords({ systemPassword, password, encryptionKey }, users),
    systemPassword: pulumi.secret(systemPassword),
    encryptionKey: pulumi.secret(encryptionKey),
  };
}

/** The config may hold any value for what is declared; planning checks it. */
export function withDeclared(
  given: Pick<ClusterSettings, keyof DeclaredSettings>,
  declared: DeclaredSettings,
): Readonly<Record<keyof DeclaredSettings, unknown>> {
  const { streams, buckets, objectStores } = given;
  return {
    streams: isMap(streams ?? {}) ? declared.streams : streams,
    buckets: isMap(buckets ?? {})
      ? mapEntries(declared.buckets, (value) => (isInput(value) ? PASSWORD_PLACEHOLDER : value))
      : buckets,
    objectStores: isMap(objectStores ?? {}) ? declared.objectStores : objectStores,
  };
}

function isInput(value: unknown): value is pulumi.Input<string> {
  return typeof value === "string" || pulumi.Output.isInstance(value) || value instanceof Promise;
}

type OwnPasswords = Pick<ClusterSettings, "password" | "encryptionKey"> &
  Partial<Pick<ClusterSettings, "systemPassword">>;

function readPasswords(
  own: OwnPasswords,
  users: ReadonlyMap<string, pulumi.Input<string>>,
): pulumi.Output<Passwords> {
  const given = { ...own, accounts: Object.fromEntries(users) };
  const secrecy = {
    systemPassword: isSecret(own.systemPassword),
    password: isSecret(own.password),
    encryptionKey: isSecret(own.encryptionKey),
    users: Object.fromEntries([...users].map(([user, each]) => [user, isSecret(each)])),
  };
  return pulumi.secret(
    pulumi
      .all([given, secrecy])
      .apply(([{ systemPassword, password, encryptionKey, accounts }, isSecret]) => ({
        system: systemPassword,
        simple: password,
        users: accounts,
        encryptionKey,
        encrypted: [
          ...(isSecret.systemPassword ? ["systemPassword"] : []),
          ...(isSecret.password ? ["password"] : []),
          ...(isSecret.encryptionKey ? ["encryptionKey"] : []),
          "accounts",
        ],
        plainUsers: Object.keys(accounts).filter((user) => !isSecret.users[user]),
      })),
  );
}

async function isSecret(password: pulumi.Input<string> | undefined): Promise<boolean> {
  return password !== undefined && (await pulumi.isSecret(pulumi.output(password)));
}
