import { dropPasswords } from "../../lib/accounts/hidden-passwords.ts";
import { settingNames } from "../../lib/settings/setting-values.ts";
import type { FiledSettings } from "../stack/settings-file.ts";
import type { ConfigValues } from "../stack/stack.ts";

/** The stack from which a new stack copies its settings. */
export interface InheritanceSource {
  /** The prefix of its settings' full names, before the colon. */
  readonly namespace: string;
  readonly config: ConfigValues;
  /** The new stack's defaults, which needn't be copied. */
  readonly defaults: ConfigValues;
  /** The same settings from their file: `config` hides settings that contain an encrypted value. */
  readonly filed: FiledSettings;
}

export interface Inheritance {
  /** For `pulumi config set-all --json`, without passwords. */
  readonly values: ConfigValues;
  /**
   * What can't be copied because it is encrypted: names of settings, and paths in `accounts`. Passwords are left out.
   */
  readonly leftOut: readonly string[];
}

/** Not copied: ports are derived from the stack's name, and passwords are generated. */
const OF_ITS_OWN: ReadonlySet<string> = new Set(
  settingNames(({ kind }) => kind === "port" || kind === "password"),
);

/** What a new stack copies from another one: its settings without ports and encrypted values. */
export function inherit({ namespace, config, defaults, filed }: InheritanceSource): Inheritance {
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
