import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import {
  mapPasswords,
  PASSWORD_PLACEHOLDER,
  passwordsOf,
  plainPasswordsIn,
} from "../lib/accounts/hidden-passwords.ts";
import { formatProblems, type Problem } from "../lib/base/errors.ts";
import { entriesOf, mapEntries } from "../lib/buckets/hidden-entries.ts";
import { decodeSettings } from "../lib/plan/settings.ts";
import type { NatsClusterArgs } from "./cluster-args.ts";

/**
 * Reads a cluster's args from a stack's config: one key for each setting, passwords as secrets. It doesn't validate
 * them: the cluster reports all problems at once. Only an encrypted value where none can be kept secret is refused here.
 *
 * @param config with the settings' namespace, by default the project's name.
 * @throws pulumi.RunError
 */
export async function settingsFromConfig(config: pulumi.Config): Promise<NatsClusterArgs> {
  const all = pulumi.runtime.allConfig();
  const { accounts, buckets, password, systemPassword, encryptionKey, ...settings } =
    decodeSettings(all, config.name);
  const encrypted = secretSettings(config);
  if (encrypted.has("config")) throw new pulumi.RunError(formatProblems([ENCRYPTED_OPTIONS]));
  const textOf = (name: string) => all[`${config.name}:${name}`] ?? "";
  const read = (name: string) => (encrypted.has(name) ? pulumi.secret(textOf(name)) : textOf(name));
  const users = accounts === undefined ? {} : passwordsOf(JSON.parse(textOf("accounts")));
  const plain = await plainUsersIn(config, Object.keys(users), encrypted.has("accounts"));
  const passwordOf = (user: string) =>
    plain.has(user) ? (users[user] ?? "") : pulumi.secret(users[user] ?? "");
  const args = {
    ...settings,
    ...(accounts === undefined
      ? {}
      : {
          accounts: mapPasswords(accounts, (given, user) =>
            given === PASSWORD_PLACEHOLDER ? passwordOf(user) : given,
          ),
        }),
    ...(buckets === undefined ? {} : { buckets: withEntries(buckets, textOf("buckets")) }),
    ...(password === undefined ? {} : { password: read("password") }),
    ...(systemPassword === undefined ? {} : { systemPassword: read("systemPassword") }),
    ...(encryptionKey === undefined ? {} : { encryptionKey: read("encryptionKey") }),
    settingsIn: "config",
  };
  // A value of another type gets a better message from the cluster's own validation.
  return args as unknown as NatsClusterArgs;
}

const ENCRYPTED_OPTIONS: Problem = {
  path: "config",
  message:
    "has an encrypted value, which a node's config would have in plain text, as the state would",
  fix: "leave secrets out of it",
};

/** Buckets with the values of their entries in the place of placeholders: secrets, all of them. */
function withEntries(hidden: unknown, text: string): unknown {
  return mapEntries(hidden, (given, key, bucket) => {
    if (given !== PASSWORD_PLACEHOLDER) return given;
    const buckets = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    return pulumi.secret(entriesOf(buckets[bucket])[key]);
  });
}

/** The users of the setting `accounts` whose passwords aren't encrypted. */
async function plainUsersIn(
  config: pulumi.Config,
  users: readonly string[],
  isEncrypted: boolean,
): Promise<ReadonlySet<string>> {
  if (!isEncrypted) return new Set(users);
  // With a single password, the encrypted value in the setting can only be that one.
  return new Set(users.length > 1 ? await readPlainUsers(config) : []);
}

/** The names of settings that contain an encrypted value. The SDK (3.259) has no public API for it. */
function secretSettings({ name: namespace }: pulumi.Config): ReadonlySet<string> {
  const keys = z.array(z.string()).parse(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]"));
  return new Set(keys.map((key) => key.replace(`${namespace}:`, "")));
}

/**
 * Reads which passwords are unencrypted from the stack's settings file, if it is at its default path: for a setting
 * with any encrypted value, Pulumi tells the program only that it has one.
 */
async function readPlainUsers({ name }: pulumi.Config): Promise<readonly string[]> {
  // Loaded lazily, because it takes longer than the rest of this file.
  const { parse } = await import("yaml");
  try {
    const settings: unknown = parse(readFileSync(`Pulumi.${pulumi.getStack()}.yaml`, "utf8"));
    const { config } = stackFile.parse(settings);
    return plainPasswordsIn(config[`${name}:accounts`] ?? config.accounts);
  } catch {
    // The file is elsewhere, by --config-file.
    return [];
  }
}

const stackFile = z.object({ config: z.record(z.string(), z.unknown()) });
