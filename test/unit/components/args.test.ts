import * as pulumi from "@pulumi/pulumi";
import { describe, expect, expectTypeOf, test } from "vitest";
import type {
  AccountArgs,
  AccountLimitsArgs,
  BucketSettingsArgs,
  ClusterSettings,
  ConsumerSettingsArgs,
  ExportArgs,
  ImportArgs,
  JetStreamLimitsArgs,
  ObjectStoreSettingsArgs,
  PermissionsArgs,
  StreamSettingsArgs,
  TlsFilesArgs,
  UserArgs,
} from "../../../components/args.ts";
import type {
  AccountLimits,
  AccountSettings,
  ExportSettings,
  ImportSettings,
  JetStreamLimits,
  Permissions,
  UserSettings,
} from "../../../lib/accounts/account-settings.ts";
import { hidePasswords } from "../../../lib/accounts/hidden-passwords.ts";
import type { BucketFields, ObjectStoreFields } from "../../../lib/buckets/bucket-fields.ts";
import type { ConsumerFields } from "../../../lib/consumers/consumer-fields.ts";
import type { StreamWithConsumers } from "../../../lib/consumers/stream-consumers.ts";
import { parseSettings, type Settings } from "../../../lib/plan/settings.ts";
import type { SettingName } from "../../../lib/settings/settings-table.ts";
import type { StreamFields } from "../../../lib/streams/stream-fields.ts";
import type { TlsFiles } from "../../../lib/tls/tls-settings.ts";

/** What a cluster is checked by once its passwords are kept apart. */
function check({
  systemPassword: _,
  password: __,
  accounts,
  ...settings
}: ClusterSettings): Settings {
  const raw = { ...settings, ...(accounts ? { accounts: hidePasswords(accounts) } : {}) };
  return parseSettings(raw, { project: "app", stack: "dev" });
}

describe("what a program gives a cluster", () => {
  test("may be little more than a password", () => {
    const settings: ClusterSettings = { systemPassword: "s" };
    expect(check(settings).shape.map(({ name }) => name)).toEqual(["rg1", "rg2", "rg3"]);
  });

  test("may have regions that aren't alike", () => {
    const settings: ClusterSettings = {
      regions: { us: ["a", "b"], eu: ["x"] },
      nodesPerZone: { us: 2 },
      systemPassword: "s",
    };
    expect(check(settings).shape.map(({ name }) => name)).toEqual(["eu", "us"]);
  });

  test("is written as in a stack's file, passwords as what they are an input of", () => {
    const settings: ClusterSettings = {
      regions: ["eu", "us"],
      availabilityZones: ["az1", "az2", "az3"],
      systemPassword: pulumi.secret("s"),
      password: Promise.resolve("p"),
      memory: "1GiB",
      maxFileStore: 10_737_418_240,
      patience: "5m",
      tls: "stack",
      accounts: {
        BILLING: {
          users: {
            billing: { password: "b", permissions: { publish: { allow: ["billing.>"] } } },
          },
          limits: { connections: 10, payload: "64KiB" },
          jetStream: { maxFileStore: "1GiB" },
          exports: [{ stream: "billing.>", accounts: ["APP"] }],
        },
        APP: { imports: [{ stream: { account: "BILLING", subject: "billing.>" }, prefix: "b" }] },
      },
      streams: {
        EVENTS: {
          subjects: ["events.*"],
          replicas: 3,
          maxAge: "7d",
          maxBytes: "512MiB",
          placement: { across: { eu: "az1", us: "az2" } },
          leader: { region: "eu" },
        },
        COPY: { mirror: { name: "EVENTS" }, placement: { region: "us" }, recreate: "viaBackup" },
        PAID: { account: "BILLING", sources: [{ name: "BILLS", filterSubject: "bills.paid" }] },
      },
    };
    expect(check(settings)).toMatchObject({
      maxFileStore: 10 * 1024 ** 3,
      streams: { EVENTS: { replicas: 3 }, COPY: { mirror: { name: "EVENTS" } } },
    });
  });

  test("may be a constant", () => {
    const constant = {
      regions: ["rg1", "rg2"],
      systemPassword: "s",
      certificateNames: [],
      streams: { S: { subjects: ["s.>"], placement: { tags: ["xr:12", "!rg:2"] } } },
    } as const;
    const settings: ClusterSettings = constant;
    expect(check(settings).streams.S?.subjects).toEqual(["s.>"]);
  });

  test("may be what a config doesn't have", () => {
    const missing: string | undefined = undefined;
    const settings: ClusterSettings = {
      systemPassword: "s",
      memory: missing,
      streams: { S: { maxAge: missing } },
    };
    expect(check(settings)).toEqual(check({ systemPassword: "s", streams: { S: {} } }));
  });

  test("is refused by the compiler where the servers' plan would be", () => {
    const settings = (given: ClusterSettings) => () => check(given);
    // @ts-expect-error The password of the system account is demanded.
    settings({});
    const systemPassword = "s";
    // @ts-expect-error There is no such setting.
    expect(settings({ systemPassword, memroy: "1GiB" })).toThrow("memroy");
    // @ts-expect-error Regions are listed.
    expect(settings({ systemPassword, regions: "rg1" })).toThrow("regions");
    // @ts-expect-error There is no such choice.
    expect(settings({ systemPassword, rollout: "zones" })).toThrow("rollout");
    // @ts-expect-error A stream has no such field.
    expect(settings({ systemPassword, streams: { S: { subject: ["s"] } } })).toThrow("subject");
    // @ts-expect-error Subjects are listed.
    expect(settings({ systemPassword, streams: { S: { subjects: "s" } } })).toThrow("subjects");
    // @ts-expect-error A source has a name.
    expect(settings({ systemPassword, streams: { S: { sources: [{}] } } })).toThrow("sources");
    // @ts-expect-error A user has no such field.
    const users: AccountArgs["users"] = { u: { pasword: "p" } };
    expect(settings({ systemPassword, accounts: { A: { users } } })).toThrow("pasword");
  });
});

/** Held by the compiler: whoever adds a setting, and leaves the types as they are, is told by `tsc`. */
describe("the types have all that is checked, and no more", () => {
  test("every setting of the table", () => {
    expectTypeOf<keyof ClusterSettings>().toEqualTypeOf<SettingName>();
    expectTypeOf<keyof TlsFilesArgs>().toEqualTypeOf<keyof TlsFiles>();
  });

  test("every field of a stream's config, and how an update may deal with it", () => {
    type Own =
      | "leader"
      | "adopt"
      | "allowDataLoss"
      | "recreate"
      | "account"
      | "stream"
      | "consumers";
    expectTypeOf<keyof StreamSettingsArgs>().toEqualTypeOf<keyof StreamFields | Own>();
    expectTypeOf<NamesIn<StreamSettingsArgs>>().toEqualTypeOf<NamesIn<StreamWithConsumers>>();
  });

  test("every field of a consumer's config, and how an update may deal with it", () => {
    type Own = "adopt" | "allowDataLoss" | "recreate";
    expectTypeOf<keyof ConsumerSettingsArgs>().toEqualTypeOf<keyof ConsumerFields | Own>();
  });

  test("every field of a bucket and of an object store, and how an update may deal with it", () => {
    type Own = "leader" | "adopt" | "allowDataLoss" | "recreate" | "account";
    expectTypeOf<keyof BucketSettingsArgs>().toEqualTypeOf<
      keyof BucketFields | Own | "bucket" | "entries"
    >();
    expectTypeOf<keyof ObjectStoreSettingsArgs>().toEqualTypeOf<
      keyof ObjectStoreFields | Own | "objectStore"
    >();
  });

  test("everything of an account", () => {
    expectTypeOf<keyof AccountArgs>().toEqualTypeOf<keyof AccountSettings>();
    expectTypeOf<keyof UserArgs>().toEqualTypeOf<keyof UserSettings>();
    expectTypeOf<NamesIn<PermissionsArgs>>().toEqualTypeOf<NamesIn<Permissions>>();
    expectTypeOf<keyof AccountLimitsArgs>().toEqualTypeOf<keyof AccountLimits>();
    expectTypeOf<keyof JetStreamLimitsArgs>().toEqualTypeOf<keyof JetStreamLimits>();
    expectTypeOf<keyof ExportArgs>().toEqualTypeOf<KeysOf<ExportSettings>>();
    expectTypeOf<keyof ImportArgs>().toEqualTypeOf<KeysOf<ImportSettings>>();
  });
});

/** Of each of several. */
type KeysOf<Union> = Union extends unknown ? keyof Union : never;

/** An object's names with those of the objects in it, without what is written for each. */
type NamesIn<Value> = Value extends readonly (infer Item)[]
  ? NamesIn<Item>
  : Value extends object
    ? { [Name in keyof Value]-?: NamesIn<NonNullable<Value[Name]>> }
    : "a value";
