/** Keeps the passwords of users apart from all other settings of accounts. */
import { isMap } from "../base/records.ts";

/** What stands for a password wherever settings are read: that there is one. No plan knows more. */
export const GIVEN = "(given)";

/**
 * The same settings of accounts with {@link GIVEN} instead of each password, and of whatever is no map where one
 * belongs: errors quote it, and somebody may have put a password there.
 */
export function hidePasswords(accounts: unknown): unknown {
  return mapUsers(accounts, hidePassword, () => GIVEN);
}

function hidePassword(user: unknown): unknown {
  if (!isMap(user)) return GIVEN;
  return typeof user.password === "string" ? { ...user, password: GIVEN } : user;
}

/** What {@link hidePasswords} gives, without what stands for passwords: for another stack to begin with. */
export function dropPasswords(hidden: unknown): unknown {
  const drop = (user: unknown) => {
    if (!isMap(user) || user.password !== GIVEN) return user;
    const { password: _, ...rest } = user;
    return rest;
  };
  return mapUsers(hidden, drop, () => GIVEN);
}

/** A user, by where it is. */
export interface UserPlace {
  readonly account: string;
  readonly user: string;
}

/** The users whose settings are nothing but permissions: those that a password is yet to be made for. */
export function usersToBe(hidden: unknown): readonly UserPlace[] {
  return entriesOf(hidden).flatMap(([account, settings]) =>
    entriesOf(isMap(settings) ? settings.users : {})
      .filter(([, user]) => isMap(user) && Object.keys(user).every((key) => key === "permissions"))
      .map(([user]) => ({ account, user })),
  );
}

/** What {@link hidePasswords} leaves out: passwords by the names of their users. */
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

/** Users whose password a settings file has in plain, as text; an encrypted one is a map there. */
export function plainPasswordsIn(accounts: unknown): readonly string[] {
  return Object.keys(passwordsOf(accounts));
}

/** The same settings with another thing in the place of each password; nothing else is touched, whatever it is. */
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

/** @param otherwise what becomes of a value that is no map where one belongs. */
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
