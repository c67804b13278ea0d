import { dropPasswords } from "../../lib/accounts/hidden-passwords.ts";
import { settingNames } from "../../lib/settings/setting-values.ts";
import type { FiledSettings } from "../stack/settings-file.ts";
import type { ConfigValues } from "../stack/stack.ts";

/** What there is to know of the stack whose settings another one begins with. */
export interface Legacy {
  /** Full names of its settings begin with it and a colon. */
  readonly namespace: string;
  readonly config: ConfigValues;
  /** Those of the new stack, which has none of its own yet: what it needs no copy of. */
  readonly defaults: ConfigValues;
  /** The same settings as their file has them: of one with anything encrypted in it `config` shows nothing. */
  readonly filed: FiledSettings;
}

export interface Inheritance {
  /** For `pulumi config set-all --json`. No password is in it. */
  readonly values: ConfigValues;
  /** What can't be copied, as it is encrypted: names of settings, and paths in `accounts`. No passwords. */
  readonly leftOut: readonly string[];
}

/** Ports follow from the stack's name, and passwords are generated. */
const OF_ITS_OWN: ReadonlySet<string> = new Set(
  settingNames(({ kind }) => kind === "port" || kind === "password"),
);

/** Says what a stack takes over from another: its settings, but not its ports, nor what is encrypted. */
export function inherit({ namespace, config, defaults, filed }: Legacy): Inheritance {
  const prefix = `${namespace}:`;
  const accounts = `${prefix}accounts`;
  const isOfItsOwn = (key: string) =>
    key.startsWith(prefix) && OF_ITS_OWN.has(key.slice(prefix.length));
  const settings = Object.entries(config).filter(
    ([key, { value, secret }]) => !isOfItsOwn(key) && (secret || value !== defaults[key]?.value),
  );
  const copied = settings.flatMap(([key, setting]) => {
    if (key === accounts) return [[key, toValue(dropPasswords(filed.raw.accounts))] as const];
    return setting.secret ? [] : [[key, setting] as const];
  });
  const encrypted = settings.filter(([key, { secret }]) => secret && key !== accounts);
  return {
    values: Object.fromEntries(copied),
    leftOut: [
      ...encrypted.map(([key]) => key),
      ...filed.unread.filter((at) => at.startsWith(`${accounts}.`)),
    ],
  };
}

function toValue(objectValue: unknown): ConfigValues[string] {
  return { value: JSON.stringify(objectValue), objectValue, secret: false };
}
