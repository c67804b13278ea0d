import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import {
  mapPasswords,
  PASSWORD_PLACEHOLDER,
  passwordsOf,
  plainPasswordsIn,
} from "../lib/accounts/hidden-passwords.ts";
import { decodeSettings } from "../lib/plan/settings.ts";
import type { NatsClusterArgs } from "./cluster-args.ts";

/**
 * Reads the args of a cluster from a stack's config, where each setting stands by its name, and passwords are secrets.
 * What is wrong with them is said by the cluster, all at once.
 *
 * @param config with the settings' namespace, which is the project's name unless another was given to it.
 */
export async function settingsFromConfig(config: pulumi.Config): Promise<NatsClusterArgs> {
  const all = pulumi.runtime.allConfig();
  const { accounts, password, systemPassword, ...settings } = decodeSettings(all, config.name);
  const encrypted = secretSettings(config);
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
    ...(password === undefined ? {} : { password: read("password") }),
    ...(systemPassword === undefined ? {} : { systemPassword: read("systemPassword") }),
    settingsIn: "config",
  };
  // Its own check, which the cluster makes, has the better words for what is none.
  return args as unknown as NatsClusterArgs;
}

/** Which of the users in the setting `accounts` have a password that is there for all to read. */
async function plainUsersIn(
  config: pulumi.Config,
  users: readonly string[],
  isEncrypted: boolean,
): Promise<ReadonlySet<string>> {
  if (!isEncrypted) return new Set(users);
  // One alone is what makes the setting an encrypted one.
  return new Set(users.length > 1 ? await readPlainUsers(config) : []);
}

/** The names of settings with anything encrypted in them. The SDK (3.259) keeps it to itself. */
function secretSettings({ name: namespace }: pulumi.Config): ReadonlySet<string> {
  const keys = z.array(z.string()).parse(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]"));
  return new Set(keys.map((key) => key.replace(`${namespace}:`, "")));
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
