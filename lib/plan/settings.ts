import { createHash } from "node:crypto";
import { z } from "zod";
import { accountsSchema } from "../accounts/account-settings.ts";
import { accountProblems } from "../accounts/accounts.ts";
import { CLIENT_LISTENERS } from "../accounts/certificate-users.ts";
import { hidePasswords, PASSWORD_PLACEHOLDER } from "../accounts/hidden-passwords.ts";
import { addressSchema, isEverywhere, isLoopback } from "../base/addresses.ts";
import { PlanError, type Problem } from "../base/errors.ts";
import { formatBytes, parseBytes, parseDuration } from "../base/quantities.ts";
import { quantity } from "../base/schemas.ts";
import { toProblems, wordIssue } from "../base/setting-errors.ts";
import type { SettingsPlace } from "../base/settings-place.ts";
import { describeBytes, quoteValue } from "../base/wording.ts";
import { BUCKET_KINDS, type BucketKind, bucketPath } from "../buckets/bucket-kinds.ts";
import { bucketSettingsSchema, objectStoreSettingsSchema } from "../buckets/bucket-settings.ts";
import { hideEntries } from "../buckets/hidden-entries.ts";
import { streamWithConsumersSchema } from "../consumers/stream-consumers.ts";
import type { ListenerSettings } from "../nodes/listeners.ts";
import { serverConfigProblems } from "../nodes/server-config.ts";
import { serverConfigSchema } from "../nodes/server-config-schema.ts";
import { imageVersion, whyNotAccepted } from "../nodes/versions.ts";
import {
  type PasswordName,
  type SettingsByName,
  settingNames,
} from "../settings/setting-values.ts";
import { SETTINGS, type Setting } from "../settings/settings-table.ts";
import { streamPath } from "../streams/stream-name.ts";
import {
  type ClientTlsSettings,
  clientCertificatesSchema,
  clientTlsSchema,
  isGiven,
  resolveClientTls,
} from "../tls/client-tls.ts";
import {
  hostNamesSchema,
  lifetimeSchema,
  resolveTls,
  type TlsSettings,
  tlsFilesSchema,
} from "../tls/tls-settings.ts";
import { advertiseProblems, patternSchema } from "../topology/advertise.ts";
import { enginesSchema } from "../topology/engines.ts";
import { serverTagProblems } from "../topology/server-tags.ts";
import type { Shape } from "../topology/shape.ts";
import { type ShapeSettings, shapeOf, shapeProblems } from "./shape-settings.ts";

/**
 * The names under which a cluster was created. Names and default ports on the engine derive from them, see
 * stack-identity.ts.
 */
export interface StackIdentity {
  readonly project: string;
  readonly stack: string;
  /**
   * The cluster's name among those of its program. Absent: it is the stack's only cluster, with its settings in the
   * config.
   */
  readonly cluster?: string;
}

/**
 * Where a cluster's settings come from: a program if the cluster has a name of its own, otherwise the stack's config.
 */
export function settingsPlaceOf({ cluster }: Pick<StackIdentity, "cluster">): SettingsPlace {
  return cluster === undefined ? "config" : "program";
}

/** The names joined with a separator, e.g. `shop-prod-c1`. */
export function identityName(
  { project, stack, cluster }: StackIdentity,
  separator: "-" | "/",
): string {
  return [project, stack, ...(cluster === undefined ? [] : [cluster])].join(separator);
}

/** All parsed settings of a cluster, with defaults, but without passwords. The table of settings documents each. */
export interface Settings
  extends TlsSettings,
    ClientTlsSettings,
    Omit<
      SettingsByName,
      keyof TlsSettings | keyof ClientTlsSettings | keyof ShapeSettings | "uniqueTag"
    > {
  readonly identity: StackIdentity;
  /** Regions, zones and nodes, from `regions`, `availabilityZones`, `nodesPerZone` and `witnesses`. */
  readonly shape: Shape;
  readonly uniqueTag: string;
  /** Whether `user` has a password. */
  readonly hasPassword: boolean;
}

const NAME = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;
/** The characters of an image's name. The engine checks the rest. */
const IMAGE = /^[a-z0-9][\w.:/@-]*$/;
const name = z
  .string()
  .regex(
    NAME,
    says("must be lower case letters, digits and dashes, with a letter first and no dash last"),
  );
/** Clients send user and password in one line, of at most 4 KiB (nats-server 2.15, `max_control_line`). */
const LONGEST_LABEL = 128;
const label = z
  .string()
  .regex(/^[^\p{C}\s"]+$/u, says("must have no blanks and no quotes"))
  .max(LONGEST_LABEL, says(`must be at most ${LONGEST_LABEL} characters long`));

/** A prefix with its colon: as a part of a word, it could be that of tags with another meaning. */
const UNIQUE_TAG = /^(?:none|(?!xr:)[a-z0-9][a-z0-9_.-]*:)$/;
const UNIQUE_TAG_RULE =
  "is no prefix of tags with its colon, in lower case, e.g. az: or rack: (but not xr:), nor none";

function sizeSchema(least: string, most: string | undefined): z.ZodType {
  const minimum = parseBytes(least);
  const maximum = most === undefined ? Number.MAX_SAFE_INTEGER : parseBytes(most);
  return quantity(parseBytes, "a size, e.g. 512MiB")
    .refine((bytes) => bytes >= minimum, {
      error: ({ input }) => `${formatBytes(input as number)} is less than ${least}`,
    })
    .refine((bytes) => bytes <= maximum, {
      error: ({ input }) => `${formatBytes(input as number)} is more than ${most}`,
    });
}

function namesSchema(most: number): z.ZodType {
  return z.array(name).min(1).max(most);
}

/** A value for all regions, or a map of region to its value: at least one, at most `most` regions. */
function valueOrMap(
  value: z.ZodType,
  {
    of,
    says: rule,
    most,
  }: { readonly of: z.ZodType; readonly says: string; readonly most?: number },
): z.ZodType {
  const map = z
    .record(name, of)
    .refine((given) => Object.keys(given).length > 0, { error: "names no region" })
    .refine((given) => most === undefined || Object.keys(given).length <= most, {
      error: `has more than ${most} regions`,
    });
  return z.union([value, map], says(rule));
}

function durationSchema(least: string, why: string): z.ZodType {
  const minimum = parseDuration(least) / 1e6;
  return quantity(parseDuration, "a duration, e.g. 2m")
    .transform((nanoseconds) => nanoseconds / 1e6)
    .refine((milliseconds) => milliseconds >= minimum, {
      error: `${minimum / 1_000} s are the least: ${why}`,
    });
}

/** The zod schema of one setting. It adds no default. */
export function schemaOf(setting: Setting): z.ZodType {
  switch (setting.kind) {
    case "label":
      return setting.rule ? label.regex(setting.rule.pattern, says(setting.rule.says)) : label;
    case "regions":
      return valueOrMap(namesSchema(setting.most), {
        of: namesSchema(setting.mostZones),
        most: setting.most,
        says: "is neither a list of names, nor a map of region to zones",
      });
    case "zones":
      return valueOrMap(namesSchema(setting.most), {
        of: namesSchema(setting.most),
        says: "is neither a list of names, nor a map of region to zones",
      });
    case "count":
      return z.int().min(setting.least).max(setting.most);
    case "count by region": {
      const count = z.int().min(setting.least).max(setting.most);
      const rule = "is neither a whole number, nor a map of region to number";
      return valueOrMap(count, { of: count, says: rule });
    }
    case "port":
      return z.int().min(0).max(65_535);
    case "address":
      return setting.default === "" ? z.literal("").or(addressSchema) : addressSchema;
    case "advertise":
      return valueOrMap(patternSchema, {
        of: patternSchema,
        says: "is neither a pattern, nor a map of region, zone or node to pattern",
      });
    case "size":
      return sizeSchema(setting.least, setting.most);
    case "duration":
      return durationSchema(setting.least, setting.why);
    case "choice":
      return z.enum(setting.values);
    case "flag":
      return z.boolean();
    case "image":
      return z.string().superRefine(checkImage);
    case "sync interval":
      return z.string().transform(parseSyncInterval);
    case "lifetime":
      return lifetimeSchema;
    case "places":
      return z.array(name);
    case "unique tag":
      return z.string().regex(UNIQUE_TAG, says(UNIQUE_TAG_RULE));
    case "server tags":
      return z.record(z.string(), z.array(label));
    case "host names":
      return hostNamesSchema;
    case "certificate files":
      return tlsFilesSchema;
    case "client tls":
      return clientTlsSchema;
    case "client certificates":
      return clientCertificatesSchema;
    case "engines":
      return enginesSchema;
    case "accounts":
      return accountsSchema;
    case "server config":
      return serverConfigSchema;
    case "streams":
      return z.record(z.string(), streamWithConsumersSchema);
    case "buckets":
      return z.record(z.string(), bucketSettingsSchema);
    case "object stores":
      return z.record(z.string(), objectStoreSettingsSchema);
    case "password":
      return z.literal(PASSWORD_PLACEHOLDER);
  }
}

type ParsedSettings = SettingsByName & {
  readonly [Name in PasswordName]?: typeof PASSWORD_PLACEHOLDER;
};

const schema = z.strictObject(
  Object.fromEntries(
    Object.entries<Setting>(SETTINGS).map(([name, setting]) => {
      const checked = schemaOf(setting);
      return [
        name,
        setting.kind === "password" ? checked.optional() : checked.prefault(setting.default),
      ];
    }),
  ),
  // TypeScript can't infer the type, as the shape is computed from the table.
) as unknown as z.ZodType<ParsedSettings>;

/** The kinds whose values are text in Pulumi's config. Values of all other kinds are JSON there. */
const TEXT_KINDS: ReadonlySet<Setting["kind"]> = new Set<Setting["kind"]>([
  "label",
  "image",
  "address",
  "size",
  "duration",
  "lifetime",
  "sync interval",
  "choice",
  "unique tag",
]);

const JSON_SETTINGS: ReadonlySet<string> = new Set(
  settingNames(({ kind }) => kind !== "password" && !TEXT_KINDS.has(kind)),
);

/** Names of the settings that are passwords. They are read separately, and no plan depends on them. */
export const PASSWORDS: ReadonlySet<string> = new Set(
  settingNames(({ kind }) => kind === "password"),
);

/**
 * Picks the settings of a project from a stack's config, which has text by `project:name`. Unknown names stay, so that
 * {@link parseSettings} refuses them. Passwords are replaced by {@link PASSWORD_PLACEHOLDER}.
 */
export function decodeSettings(
  config: Readonly<Record<string, string>>,
  project: string,
): Record<string, unknown> {
  const prefix = `${project}:`;
  const settings = Object.entries(config)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, text]) => [key.slice(prefix.length), text] as const)
    .map(([name, text]) => [name, decode(name, text)] as const);
  return Object.fromEntries(settings);
}

function decode(name: string, text: string): unknown {
  if (PASSWORDS.has(name)) return PASSWORD_PLACEHOLDER;
  const value = JSON_SETTINGS.has(name) ? parseJson(text) : text;
  if (name === "accounts") return hidePasswords(value);
  return name === "buckets" ? hideEntries(value) : value;
}

/** Parses JSON. Other text stays as it is, as the setting's schema has a better error for it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Parses settings and fills in their defaults.
 *
 * @param raw values of YAML or JSON, by names of settings without namespace.
 * @throws PlanError with all problems. None of them quotes a secret.
 */
export function parseSettings(raw: unknown, identity: StackIdentity): Settings {
  const place = settingsPlaceOf(identity);
  const parsed = schema.safeParse(raw, { error: wordIssue, reportInput: true });
  if (!parsed.success) {
    throw new PlanError(parsed.error.issues.flatMap((issue) => toProblems(issue, place)));
  }
  const { systemPassword: _, encryptionKey: __, ...unlocked } = parsed.data;
  const { uniqueTag, tls, tlsFiles, clientTls, clientCertificates, password, ...others } = unlocked;
  const { regions, availabilityZones, nodesPerZone, witnesses, ...settings } = others;
  const shapeSettings = { regions, availabilityZones, nodesPerZone, witnesses };
  const { bindAddress, engines } = settings;
  const hasEngines = Object.keys(engines).length > 0;
  // What goes from machine to machine is seen by others.
  const farthest = hasEngines ? "0.0.0.0" : bindAddress;
  const forClients = isGiven(clientTls) || isGiven(clientCertificates);
  const secured = resolveTls({ tls, tlsFiles, bindAddress: farthest, forClients }, place);
  const { leafNodes, websocket, mqtt } = settings;
  const own = {
    clientTls,
    clientCertificates,
    tls: secured.settings.tls,
    listening: CLIENT_LISTENERS.filter(
      (each) => each === "clients" || { leafNodes, websocket, mqtt }[each],
    ),
  };
  const towardsClients = resolveClientTls(own, place);
  const clientPort = settings.clientPort || defaultPort(identity);
  const complete = {
    ...settings,
    ...secured.settings,
    ...towardsClients.settings,
    identity,
    shape: shapeOf(shapeSettings),
    hasPassword: password !== undefined,
    // The pages show accounts, connections and subjects without a login, so the default is loopback.
    monitorAddress:
      settings.monitorAddress || (isLoopback(bindAddress) ? bindAddress : "127.0.0.1"),
    uniqueTag: uniqueTag === "none" ? "" : uniqueTag,
    clientPort,
    routePort: settings.routePort || clientPort + ROUTE_PORT_DISTANCE,
    websocketPort: settings.websocketPort || clientPort + WEBSOCKET_PORT_DISTANCE,
    mqttPort: settings.mqttPort || clientPort + MQTT_PORT_DISTANCE,
  };
  const problems = [
    ...shapeProblems(shapeSettings),
    ...serverTagProblems(settings.serverTags, complete.shape),
    ...advertiseProblems(settings.advertise, complete.shape),
    ...reservedName(settings.account),
    ...accountProblems(complete),
    ...unreadStreams(raw, settings.streams),
    ...unreadBuckets(raw, settings),
    ...memoryProblems(settings),
    ...listenerProblems(settings),
    ...serverConfigProblems(settings.config, settings),
    ...(hasEngines ? soleAddresses(complete) : []),
    ...secured.problems,
    ...towardsClients.problems,
  ];
  if (problems.length > 0) throw new PlanError(problems);
  return complete;
}

/** The share of a container's memory that streams may use. The server needs the rest, e.g. for Raft logs in memory. */
const MEMORY_SHARE = 0.5;

/**
 * Reports a memory store that is too large for the container. When it fills up, the node is killed, and so are the
 * nodes of the other replicas, which hold the same. Without memory streams in the settings, the default size is
 * accepted, so that small nodes needn't set it.
 */
function memoryProblems({
  memory,
  maxMemoryStore,
  ...settings
}: Pick<
  Settings,
  "memory" | "maxMemoryStore" | "streams" | "buckets" | "objectStores"
>): Problem[] {
  const most = memory * MEMORY_SHARE;
  const { streams, buckets, objectStores } = settings;
  const isUsed = [streams, buckets, objectStores].some((all) =>
    Object.values(all).some(({ storage }) => storage === "memory"),
  );
  if (
    maxMemoryStore <= (isUsed ? most : Math.max(most, parseBytes(SETTINGS.maxMemoryStore.default)))
  )
    return [];
  return [
    {
      path: "maxMemoryStore",
      message: `${formatBytes(maxMemoryStore)} is more than half of memory: ${formatBytes(memory)}; a node whose streams in memory fill up would be killed, and all of their replicas alike`,
      fix: `use ${describeBytes(Math.floor(most))} at most, or set memory to ${describeBytes(maxMemoryStore / MEMORY_SHARE)}`,
    },
  ];
}

/** Reports ports of listeners that are off. */
function listenerProblems(settings: ListenerSettings): Problem[] {
  const ports = [
    ["leafNodes", "leafNodePort"],
    ["websocket", "websocketPort"],
    ["mqtt", "mqttPort"],
  ] as const;
  return ports
    .filter(([listener, port]) => !settings[listener] && settings[port] !== 0)
    .map(([listener, port]) => ({
      path: port,
      message: `is set, but ${listener} is off`,
      fix: `set ${listener} to true, or take it out`,
    }));
}

const ROUTE_PORT_DISTANCE = 2_000;
const WEBSOCKET_PORT_DISTANCE = 8_000;
const MQTT_PORT_DISTANCE = 12_000;
const DEFAULT_PORTS = { first: 10_000, step: 20, slots: 200 };

/** With engines, each machine has addresses of its own. */
function soleAddresses({
  bindAddress,
  monitorAddress,
}: Pick<Settings, "bindAddress" | "monitorAddress">): Problem[] {
  const isOfEach = isLoopback(monitorAddress) || isEverywhere(monitorAddress);
  return [
    ...(bindAddress === SETTINGS.bindAddress.default
      ? []
      : [
          {
            path: "bindAddress",
            message: "not used with engines",
            fix: "set bindAddress of each of the engines",
          },
        ]),
    ...(isOfEach
      ? []
      : [
          {
            path: "monitorAddress",
            message: `${monitorAddress} is an address of one machine, and engines are on several`,
            fix: "use 127.0.0.1, 0.0.0.0 or ::",
          },
        ]),
  ];
}

/** The first client port of a cluster that sets none: derived from its names, below the ephemeral ports. */
function defaultPort(identity: StackIdentity): number {
  const hash = createHash("sha256").update(identityName(identity, "/")).digest().readUInt32BE();
  return DEFAULT_PORTS.first + (hash % DEFAULT_PORTS.slots) * DEFAULT_PORTS.step;
}

/** An error of zod: the value, followed by the rule. */
function says(rule: string) {
  return { error: ({ input }: { readonly input?: unknown }) => `${quoteValue(input)} ${rule}` };
}

/** Refuses an image whose tag has no version, or a version that isn't accepted. */
function checkImage(image: string, context: z.RefinementCtx<string>): void {
  const version = imageVersion(image);
  if (!IMAGE.test(image) || !version) {
    const fault = version ? "is not the name of an image" : "doesn't say which version it is";
    const message = `${quoteValue(image)} ${fault}; pin one, e.g. nats:2.15.2`;
    context.addIssue({ code: "custom", message });
    return;
  }
  const message = whyNotAccepted(version);
  if (message !== undefined) context.addIssue({ code: "custom", message });
}

/** Converts a duration to one that Go's time.ParseDuration accepts, which doesn't know e.g. `1d`. `always` stays. */
function parseSyncInterval(text: string, context: z.RefinementCtx<string>): string {
  if (text === "always") return text;
  try {
    const nanoseconds = parseDuration(text);
    if (nanoseconds > 0) return `${nanoseconds / 1e6}ms`;
    context.addIssue({ code: "custom", message: '0 would mean two minutes; use "always"' });
  } catch (error) {
    context.addIssue({ code: "custom", message: `${(error as Error).message}, or "always"` });
  }
  return z.NEVER;
}

const RESERVED_ACCOUNTS: ReadonlyMap<string, string> = new Map([
  ["$SYS", "the system account"],
  ["$G", "the account of users without one"],
]);

function reservedName(account: string): Problem[] {
  const reserved = RESERVED_ACCOUNTS.get(account);
  if (reserved === undefined) return [];
  return [{ path: "account", message: `${account} is ${reserved}`, fix: "choose another name" }];
}

/** Reports names such as `__proto__`, which zod drops silently. */
export function unreadStreams(raw: unknown, streams: Settings["streams"]): Problem[] {
  const { streams: given = {} } = raw as { readonly streams?: Readonly<Record<string, object>> };
  return Object.entries(given).flatMap(([key, stream]) =>
    Object.hasOwn(streams, key)
      ? unreadConsumers(key, stream, streams[key]?.consumers ?? {})
      : [{ path: streamPath({ key }), message: "no stream can be called that" }],
  );
}

/** As for streams. */
export function unreadBuckets(
  raw: unknown,
  settings: Pick<Settings, "buckets" | "objectStores">,
): Problem[] {
  return Object.entries(BUCKET_KINDS).flatMap(([kind, { setting, noun }]) => {
    const { [setting]: given = {} } = raw as Readonly<Record<typeof setting, object | undefined>>;
    return Object.keys(given)
      .filter((key) => !Object.hasOwn(settings[setting], key))
      .map((key) => ({
        path: bucketPath({ kind: kind as BucketKind, key }),
        message: `no ${noun} can be called that`,
      }));
  });
}

function unreadConsumers(key: string, stream: object, read: object): Problem[] {
  const { consumers: given = {} } = stream as { readonly consumers?: object };
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(read, name))
    .map((name) => ({
      path: streamPath({ key }, `consumers.${name}`),
      message: "no consumer can be called that",
    }));
}
