/** Keeps the passwords of users apart from all other settings of accounts. */

/** What stands for a password wherever settings are read: that there is one. No plan knows more. */
export const GIVEN = "(given)";

type PlainMap = Readonly<Record<string, unknown>>;

function isMap(value: unknown): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The same settings of accounts with {@link GIVEN} instead of each password, and of whatever is no map where one
 * belongs: errors quote it, and somebody may have put a password there.
 */
export function hidePasswords(accounts: unknown): unknown {
  return mapUsers(accounts, hidePassword);
}

function hidePassword(user: unknown): unknown {
  if (!isMap(user)) return GIVEN;
  return typeof user.password === "string" ? { ...user, password: GIVEN } : user;
}

/** What {@link hidePasswords} gives, without what stands for passwords: for another stack to begin with. */
export function dropPasswords(hidden: unknown): unknown {
  return mapUsers(hidden, (user) => {
    if (!isMap(user) || user.password !== GIVEN) return user;
    const { password: _, ...rest } = user;
    return rest;
  });
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
  const changeAccount = (account: unknown) =>
    isMap(account) && "users" in account
      ? { ...account, users: mapAny(account.users, changeUser) }
      : account;
  return mapAny(accounts, changeAccount);
}

function mapAny(value: unknown, change: (each: unknown, key: string) => unknown): unknown {
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, change(each, key)]));
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : [];
}

/** What is no map where one belongs becomes {@link GIVEN}. */
function mapUsers(accounts: unknown, change: (user: unknown) => unknown): unknown {
  return mapValues(accounts, (account) => {
    if (!isMap(account)) return GIVEN;
    return "users" in account ? { ...account, users: mapValues(account.users, change) } : account;
  });
}

function mapValues(value: unknown, change: (value: unknown) => unknown): unknown {
  if (!isMap(value)) return GIVEN;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each)]));
}
