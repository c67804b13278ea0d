/** What settings come to once they are read, by their rows in the table. */
import type { AccountSettings } from "../accounts/account-settings.ts";
import { parseBytes, parseDuration } from "../base/quantities.ts";
import { ownValue } from "../base/records.ts";
import type { StreamSettings } from "../streams/stream-config.ts";
import type { TlsFiles } from "../tls/tls-settings.ts";
import {
  type Change,
  SETTINGS,
  type Setting,
  type SettingName,
  type SettingsTable,
} from "./settings-table.ts";

/** The value of a setting, checked: sizes are bytes, durations milliseconds. */
type ValueOf<Row> = Row extends { kind: "count" | "port" | "size" | "duration" | "lifetime" }
  ? number
  : Row extends { kind: "label" | "address" | "image" | "sync interval" }
    ? string
    : Row extends { kind: "names" | "host names" }
      ? readonly string[]
      : Row extends { kind: "choice"; values: readonly (infer Value)[] }
        ? Value
        : Row extends { kind: "flag" }
          ? boolean
          : Row extends { kind: "certificate files" }
            ? { readonly [Name in keyof TlsFiles]?: string | undefined }
            : Row extends { kind: "accounts" }
              ? Readonly<Record<string, AccountSettings>>
              : Row extends { kind: "streams" }
                ? Readonly<Record<string, StreamSettings>>
                : never;

type NameOf<Row> = {
  [Name in SettingName]: SettingsTable[Name] extends Row ? Name : never;
}[SettingName];

export type PasswordName = NameOf<{ kind: "password" }>;

/** Every setting by name, but passwords. */
export type SettingsByName = {
  readonly [Name in SettingName as Exclude<Name, PasswordName>]: ValueOf<SettingsTable[Name]>;
};

type NodeSettingName = NameOf<{ node: object }>;
type OmittedName = NameOf<{ node: { omitDefault: true } }>;
/** A choice may stand for something else, as `none` does. */
type NodeValue<Row> = Row extends { kind: "choice" } ? string : ValueOf<Row>;

/** The settings that are fields of a node's config. */
export type NodeSettings = {
  readonly [Name in NodeSettingName as Exclude<Name, OmittedName>]: NodeValue<SettingsTable[Name]>;
} & {
  readonly [Name in NodeSettingName as Extract<Name, OmittedName>]?: NodeValue<SettingsTable[Name]>;
};

/** Settings by name, of a value each: sizes in bytes, durations in milliseconds. */
export type SettingValues = Readonly<Record<string, string | number | boolean>>;

const ROWS: Readonly<Record<string, Setting>> = SETTINGS;

/** A setting's row; undefined where there is no such setting. */
export function settingOf(name: string): Setting | undefined {
  return ownValue(ROWS, name);
}

/** Names of the settings whose rows are as asked for, in the order of the table. */
export function settingNames(matches: (row: Setting) => boolean): readonly string[] {
  return Object.entries(ROWS)
    .filter(([, row]) => matches(row))
    .map(([name]) => name);
}

/** What a change of a setting costs; undefined where there is no such setting. */
export function changeCost(name: string): Change | undefined {
  return settingOf(name)?.change;
}

/** The default as it is once read; undefined where there is none of a single value. */
export function defaultValue(row: Setting): string | number | boolean | undefined {
  switch (row.kind) {
    case "size":
      return parseBytes(row.default);
    case "duration":
      return parseDuration(row.default) / 1e6;
    case "lifetime":
      return parseDuration(row.default);
    case "password":
      return undefined;
    default:
      return typeof row.default === "object" ? undefined : row.default;
  }
}

/** Picks what is in a node's config, in the order of the table. */
export function nodeSettings(settings: Required<NodeSettings>): NodeSettings {
  const values = new Map<string, string | number | boolean>(Object.entries(settings));
  const entries = Object.entries(ROWS).flatMap(([name, row]) => {
    const value = values.get(name);
    const isLeftOut = row.node?.omitDefault && value === defaultValue(row);
    return row.node === undefined || isLeftOut ? [] : [[name, value] as const];
  });
  // The table has the names; its type can only be stated.
  return Object.fromEntries(entries) as NodeSettings;
}
