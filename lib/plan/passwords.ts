import { isHash, MAX_PASSWORD_BYTES } from "../accounts/credentials.ts";
import { isLoopback } from "../base/addresses.ts";
import type { Problem } from "../base/errors.ts";
import { howToSetSecret, type SettingsPlace } from "../base/settings-place.ts";
import type { ClusterPlan } from "./plan.ts";
import { settingsPlaceOf } from "./settings.ts";

/** The passwords in the settings, all secret; undefined if missing. */
export interface Passwords {
  readonly system: string | undefined;
  /** The password of the user in the setting `user`. */
  readonly simple: string | undefined;
  /** The passwords of the users in the setting `accounts`, by name. */
  readonly users: Readonly<Record<string, string>>;
  readonly encryptionKey: string | undefined;
  /** Names of the settings that contain an encrypted value. */
  readonly encrypted: readonly string[];
  /** Users of `users` whose password is plain text in the settings file, as far as that could be read. */
  readonly plainUsers: readonly string[];
}

type Stage = Pick<
  ClusterPlan,
  "identity" | "bindAddress" | "systemUser" | "accounts" | "isEncrypted"
>;

/** A password with its path in the settings and its user. */
interface Entry {
  readonly path: string;
  readonly account: string;
  readonly user: string;
  readonly password: string | undefined;
}

/** An entry for each user who logs in with a password. */
export function passwordsOfUsers({ accounts }: Stage, { simple, users }: Passwords): Entry[] {
  return accounts.flatMap(({ name: account, users: planned }) =>
    planned
      .filter(({ nkey, certificate }) => nkey === undefined && certificate === undefined)
      .map(({ name: user }) =>
        Object.hasOwn(users, user)
          ? {
              path: `accounts.${account}.users.${user}.password`,
              account,
              user,
              password: users[user],
            }
          : { path: "password", account, user, password: simple },
      ),
  );
}

/** Reports errors in passwords, without quoting any. */
export function passwordProblems(stage: Stage, passwords: Passwords): Problem[] {
  const { system, encrypted, plainUsers } = passwords;
  const place = settingsPlaceOf(stage.identity);
  const systemEntry = { path: "systemPassword", user: stage.systemUser, password: system };
  const problems = [systemEntry, ...passwordsOfUsers(stage, passwords)].flatMap(
    ({ path, user, password }): Problem[] => {
      const how = howToSetSecret(place, path);
      if (password === undefined) {
        return [{ path, message: `user ${user} has no password`, fix: `set one: ${how}` }];
      }
      const [setting = path] = path.split(".");
      const isPlain =
        !encrypted.includes(setting) || (setting === "accounts" && plainUsers.includes(user));
      const message =
        isPlain && !WHOLE_HASH.test(password) ? PLAIN[place] : flawOf(password, stage);
      return message === undefined ? [] : [{ path, message, fix: `set another: ${how}` }];
    },
  );
  const all = [...problems, ...keyProblems(stage, passwords)];
  return system === undefined || !isHash(system)
    ? all
    : [
        ...all,
        {
          path: "systemPassword",
          message:
            "is a hash, which the servers' config has too; the stack's own keys follow from it",
          fix: "set the password itself",
        },
      ];
}

/** Characters. nats-server's documentation recommends 32 bytes, and the digest of a config depends on the key. */
const SHORTEST_KEY = 32;

function keyProblems(
  { identity, isEncrypted }: Stage,
  { encryptionKey: key, encrypted }: Passwords,
): Problem[] {
  const path = "encryptionKey";
  const place = settingsPlaceOf(identity);
  const how = howToSetSecret(place, path);
  if (key === undefined) {
    if (!isEncrypted) return [];
    return [{ path, message: "is missing, and encryption is on", fix: `set one: ${how}` }];
  }
  const message = !isEncrypted
    ? "is set, but encryption is off"
    : !encrypted.includes(path)
      ? PLAIN[place]
      : key.length < SHORTEST_KEY
        ? `is shorter than ${SHORTEST_KEY} characters`
        : undefined;
  if (message === undefined) return [];
  return [
    { path, message, fix: isEncrypted ? `set another: ${how}` : "take it out, or set encryption" },
  ];
}

const PLAIN: Readonly<Record<SettingsPlace, string>> = {
  config: "stands in the settings for all to read",
  program: "is no secret to Pulumi, and stands somewhere for all to read",
};
/** The passwords of the example, which are public. */
const WELL_KNOWN: ReadonlySet<string> = new Set(["user", "sys"]);

const WHOLE_HASH = /^\$2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}$/;

function flawOf(password: string, { identity, bindAddress }: Stage): string | undefined {
  const isExample = identity.stack === "dev" && isLoopback(bindAddress);
  if (password === "") return "is empty";
  if (isHash(password) && !WHOLE_HASH.test(password))
    return "begins like a bcrypt hash, but is none";
  if (WELL_KNOWN.has(password) && !isExample) {
    return "is the example's, which is for a stack dev on loopback only";
  }
  return Buffer.byteLength(password) > MAX_PASSWORD_BYTES
    ? `is longer than ${MAX_PASSWORD_BYTES} bytes, of which bcrypt counts no more`
    : undefined;
}
