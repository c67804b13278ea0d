/** Separates the passwords of users from all other settings of accounts. */
import { isMap } from "../base/records.ts";

/** Placeholder for a password in settings and plans. It says that a password is set, nothing else. */
export const PASSWORD_PLACEHOLDER = "(given)";

/**
 * Replaces each password by {@link PASSWORD_PLACEHOLDER}, and also each value that should be a map but isn't: errors quote such
 * values, and they may be passwords in the wrong place.
 */
export function hidePasswords(accounts: unknown): unknown {
  return mapUsers(accounts, hidePassword, () => PASSWORD_PLACEHOLDER);
}

function hidePassword(user: unknown): unknown {
  if (!isMap(user)) return PASSWORD_PLACEHOLDER;
  return typeof user.password === "string" ? { ...user, password: PASSWORD_PLACEHOLDER } : user;
}

/** Removes the placeholders of {@link hidePasswords}, so that another stack can start with these settings. */
export function dropPasswords(hidden: unknown): unknown {
  const drop = (user: unknown) => {
    if (!isMap(user) || user.password !== PASSWORD_PLACEHOLDER) return user;
    const { password: _, ...rest } = user;
    return rest;
  };
  return mapUsers(hidden, drop, () => PASSWORD_PLACEHOLDER);
}

/** A user's place in the settings. */
export interface UserPlace {
  readonly account: string;
  readonly user: string;
}

/** Users that need a new password: their settings have nothing but what they may do. */
export function usersWithoutLogin(hidden: unknown): readonly UserPlace[] {
  return entriesOf(hidden).flatMap(([account, settings]) =>
    entriesOf(isMap(settings) ? settings.users : {})
      .filter(
        ([, user]) =>
          isMap(user) && Object.keys(user).every((key) => key === "permissions" || key === "can"),
      )
      .map(([user]) => ({ account, user })),
  );
}

/** The passwords that {@link hidePasswords} removes, by name of user. */
export function passwordsOf(accounts: unknown): Readonly<Record<string, string>> {
  const all = entriesOf(accounts).flatMap(([, account]) =>
    isMap(account) ? entriesOf(account.users) : [],
  );
  return Object.fromEntries(
    all.flatMap(([name, user]) =>
      isMap(user) && typeof user.password === "string" ? [[name, user.password] as const] : [],
    ),
  );
}

/** Users whose password is plain text in a settings file. An encrypted password is a map there. */
export function plainPasswordsIn(accounts: unknown): readonly string[] {
  return Object.keys(passwordsOf(accounts));
}

/** Replaces each password by the result of `change`. Everything else stays as it is, even where it is invalid. */
export function mapPasswords(
  accounts: unknown,
  change: (password: unknown, user: string) => unknown,
): unknown {
  const changeUser = (user: unknown, name: string) =>
    isMap(user) && "password" in user ? { ...user, password: change(user.password, name) } : user;
  return mapUsers(accounts, changeUser, (value) => value);
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : [];
}

/** @param otherwise replaces a value that should be a map but isn't. */
function mapUsers(
  accounts: unknown,
  change: (user: unknown, name: string) => unknown,
  otherwise: (value: unknown) => unknown,
): unknown {
  const mapMembers = (value: unknown, changeMember: typeof change) => {
    if (!isMap(value)) return otherwise(value);
    const members = Object.entries(value).map(([name, each]) => [name, changeMember(each, name)]);
    return Object.fromEntries(members);
  };
  return mapMembers(accounts, (account) => {
    if (!isMap(account)) return otherwise(account);
    return "users" in account ? { ...account, users: mapMembers(account.users, change) } : account;
  });
}
