/** Types and functions of parsed settings, derived from the table of settings. */
import type { AccountSettings } from "../accounts/account-settings.ts";
import type { ConfigBlock } from "../base/conf-format.ts";
import { parseBytes, parseDuration } from "../base/quantities.ts";
import { ownValue } from "../base/records.ts";
import type { BucketSettings, ObjectStoreSettings } from "../buckets/bucket-settings.ts";
import type { StreamWithConsumers } from "../consumers/stream-consumers.ts";
import type { RawClientCertificates, RawClientTls } from "../tls/client-tls.ts";
import type { TlsFiles } from "../tls/tls-settings.ts";
import type { Advertise } from "../topology/advertise.ts";
import type { EngineSettings } from "../topology/engines.ts";
import type { ServerTags } from "../topology/server-tags.ts";
import {
  type Change,
  SETTINGS,
  type Setting,
  type SettingName,
  type SettingsTable,
} from "./settings-table.ts";

/** A setting's value after parsing: sizes are in bytes, durations in milliseconds, lifetimes in nanoseconds. */
type ValueOf<Row> = Row extends { kind: "count" | "port" | "size" | "duration" | "lifetime" }
  ? number
  : Row extends { kind: "label" | "address" | "image" | "sync interval" | "unique tag" }
    ? string
    : Row extends { kind: "host names" | "places" }
      ? readonly string[]
      : Row extends { kind: "choice"; values: readonly (infer Value)[] }
        ? Value
        : Row extends { kind: "flag" }
          ? boolean
          : Row extends { kind: "certificate files" }
            ? { readonly [Name in keyof TlsFiles]?: string | undefined }
            : Row extends { kind: "client tls" }
              ? RawClientTls
              : Row extends { kind: "client certificates" }
                ? RawClientCertificates
                : Row extends { kind: "accounts" }
                  ? Readonly<Record<string, AccountSettings>>
                  : Row extends { kind: "streams" }
                    ? Readonly<Record<string, StreamWithConsumers>>
                    : Row extends { kind: "buckets" }
                      ? Readonly<Record<string, BucketSettings>>
                      : Row extends { kind: "object stores" }
                        ? Readonly<Record<string, ObjectStoreSettings>>
                        : Row extends { kind: "regions" | "zones" }
                          ? readonly string[] | ByRegion<readonly string[]>
                          : Row extends { kind: "count by region" }
                            ? number | ByRegion<number>
                            : Row extends { kind: "advertise" }
                              ? Advertise
                              : Row extends { kind: "server tags" }
                                ? ServerTags
                                : Row extends { kind: "engines" }
                                  ? Readonly<Record<string, EngineSettings>>
                                  : Row extends { kind: "server config" }
                                    ? ConfigBlock
                                    : never;

type ByRegion<Value> = Readonly<Record<string, Value>>;

type NameOf<Row> = {
  [Name in SettingName]: SettingsTable[Name] extends Row ? Name : never;
}[SettingName];

export type PasswordName = NameOf<{ kind: "password" }>;

/** All parsed settings by name, except passwords. */
export type SettingsByName = {
  readonly [Name in SettingName as Exclude<Name, PasswordName>]: ValueOf<SettingsTable[Name]>;
};

type NodeSettingName = NameOf<{ node: object }>;
type OmittedName = NameOf<{ node: { omitDefault: true } }>;
/** A choice can be any text, as e.g. `none` is replaced by `""`. */
type NodeValue<Row> = Row extends { kind: "choice" } ? string : ValueOf<Row>;

/** The settings that are fields of a node's config. */
export type NodeSettings = {
  readonly [Name in NodeSettingName as Exclude<Name, OmittedName>]: NodeValue<SettingsTable[Name]>;
} & {
  readonly [Name in NodeSettingName as Extract<Name, OmittedName>]?: NodeValue<SettingsTable[Name]>;
};

/** Parsed settings that have a single value, by name: sizes in bytes, durations in milliseconds. */
export type SettingValues = Readonly<Record<string, string | number | boolean>>;

const ROWS: Readonly<Record<string, Setting>> = SETTINGS;

/** Finds a setting's row in the table; undefined if there is no such setting. */
export function settingOf(name: string): Setting | undefined {
  return ownValue(ROWS, name);
}

/** Names of the settings whose rows match, in the order of the table. */
export function settingNames(matches: (row: Setting) => boolean): readonly string[] {
  return Object.entries(ROWS)
    .filter(([, row]) => matches(row))
    .map(([name]) => name);
}

/** The kind of change of a setting; undefined if there is no such setting. */
export function changeCost(name: string): Change | undefined {
  return settingOf(name)?.change;
}

/** A setting's default, parsed; undefined for passwords, and for defaults that are lists or maps. */
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

/** Picks the settings that belong in a node's config, in the order of the table. */
export function nodeSettings(settings: Required<NodeSettings>): NodeSettings {
  const values = new Map<string, string | number | boolean>(Object.entries(settings));
  const entries = Object.entries(ROWS).flatMap(([name, row]) => {
    const value = values.get(name);
    const isLeftOut = row.node?.omitDefault && value === defaultValue(row);
    return row.node === undefined || isLeftOut ? [] : [[name, value] as const];
  });
  // TypeScript can't infer the type, as the names come from the table.
  return Object.fromEntries(entries) as NodeSettings;
}
