import { createHash } from "node:crypto";
import { z } from "zod";
import { type AccountSettings, accountsSchema } from "../accounts/account-settings.ts";
import { accountProblems } from "../accounts/accounts.ts";
import { GIVEN, hidePasswords } from "../accounts/hidden-passwords.ts";
import { PlanError, type Problem } from "../base/errors.ts";
import { formatBytes, parseBytes, parseDuration } from "../base/quantities.ts";
import { quantity } from "../base/schemas.ts";
import { toProblems, wordIssue } from "../base/setting-errors.ts";
import { describeBytes, quoteValue } from "../base/wording.ts";
import { imageVersion, whyNotAccepted } from "../nodes/versions.ts";
import { ROLLOUTS, type Rollout } from "../placement/waves.ts";
import { type StreamSettings, streamSettingsSchema } from "../streams/stream-config.ts";
import { isLoopback, resolveTls, type TlsSettings, tlsFields } from "../tls/tls-settings.ts";
import { regionTag, zoneTag } from "../topology/tags.ts";
import { MAX_REGIONS, MAX_ZONES } from "../topology/topology.ts";
import { MOST_PAYLOAD } from "./payload.ts";

/** The names that a stack was made under; names and default ports on the engine derive from them, see identity.ts. */
export interface StackIdentity {
  readonly project: string;
  readonly stack: string;
}

/** Every setting of a cluster, checked, with defaults filled in. Passwords are not among them. */
export interface Settings extends TlsSettings {
  readonly identity: StackIdentity;
  readonly cluster: string;
  readonly regions: readonly string[];
  readonly availabilityZones: readonly string[];
  readonly nodesPerZone: number;
  /** Prefix of the tags in which a stream's replicas must differ, `""` where nothing is demanded. */
  readonly uniqueTag: string;
  readonly image: string;
  readonly bindAddress: string;
  /** Address of the host that monitoring ports are published on: loopback, unless said otherwise. */
  readonly monitorAddress: string;
  readonly clientPort: number;
  readonly monitorPort: number;
  /** Bytes that a node's container may use. */
  readonly memory: number;
  readonly maxFileStore: number;
  readonly maxMemoryStore: number;
  /** Bytes that a message may have. */
  readonly maxPayload: number;
  readonly syncInterval: string;
  /** How many nodes are changed at once. */
  readonly rollout: Rollout;
  /** Milliseconds without any progress after which waiting for nodes is given up. */
  readonly patience: number;
  /** Whether volumes outlive their nodes. */
  readonly keepVolumes: boolean;
  readonly account: string;
  readonly user: string;
  /** Whether `user` has a password. */
  readonly hasPassword: boolean;
  readonly systemUser: string;
  readonly accounts: Readonly<Record<string, AccountSettings>>;
  readonly streams: Readonly<Record<string, StreamSettings>>;
}

const NAME = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;
/** The letters of an image's name; the engine knows the rest. */
const IMAGE = /^[a-z0-9][\w.:/@-]*$/;
const MIB = 1024 ** 2;
const DEFAULT_MEMORY_STORE = 64 * MIB;

const name = z
  .string()
  .regex(
    NAME,
    says("must be lower case letters, digits and dashes, with a letter first and no dash last"),
  );
const port = z.int().min(0).max(65_535);
const size = (minimum: number) =>
  quantity(parseBytes, "a size, e.g. 512MiB").refine((bytes) => bytes >= minimum, {
    error: ({ input }) => `${formatBytes(input as number)} is less than ${formatBytes(minimum)}`,
  });
const SHORTEST_PATIENCE_MS = 10_000;
/** A client sends its name and password in one line of 4 KiB at most (nats-server 2.15, `max_control_line`). */
const LONGEST_LABEL = 128;
const label = z
  .string()
  .regex(/^[^\p{C}\s"]+$/u, says("must have no blanks and no quotes"))
  .max(LONGEST_LABEL, says(`must be at most ${LONGEST_LABEL} characters long`));
/** nats-server 2.15 keeps "_" for leaf nodes without a cluster. */
const clusterName = label.regex(/^(?!_$)/, says("is a name that nats-server keeps for itself"));
/** nats-server makes folders and subjects of it, and reads no escapes where it stands in a config. */
const accountName = label.regex(/^[^.*>/\\]+$/, says("must have none of . * > / \\ in it"));

const schema = z.strictObject({
  cluster: clusterName.default("c1"),
  regions: z.array(name).min(1).max(MAX_REGIONS).default(["rg1", "rg2", "rg3"]),
  availabilityZones: z.array(name).min(1).max(MAX_ZONES).default(["az1", "az2", "az3"]),
  nodesPerZone: z.int().min(1).max(5).default(1),
  uniqueTag: z.enum(["az:", "rg:", "none"]).default("az:"),
  image: z.string().superRefine(checkImage).default("nats:2.15.2"),
  bindAddress: z.ipv4().default("127.0.0.1"),
  monitorAddress: z.literal("").or(z.ipv4()).default(""),
  clientPort: port.default(0),
  monitorPort: port.default(0),
  memory: size(64 * MIB).prefault("512MiB"),
  maxFileStore: size(MIB).prefault("1GiB"),
  maxMemoryStore: size(0).prefault(formatBytes(DEFAULT_MEMORY_STORE)),
  maxPayload: size(1024)
    .refine((bytes) => bytes <= MOST_PAYLOAD, {
      error: ({ input }) =>
        `${formatBytes(input as number)} is more than ${formatBytes(MOST_PAYLOAD)}`,
    })
    .prefault("1MiB"),
  syncInterval: z.string().transform(parseSyncInterval).prefault("always"),
  rollout: z.enum(ROLLOUTS).default("zone"),
  patience: quantity(parseDuration, "a duration, e.g. 2m")
    .transform((nanoseconds) => nanoseconds / 1e6)
    .refine((milliseconds) => milliseconds >= SHORTEST_PATIENCE_MS, {
      error: `${SHORTEST_PATIENCE_MS / 1_000} s are the least: an election takes some seconds`,
    })
    .prefault("2m"),
  keepVolumes: z.boolean().default(false),
  ...tlsFields,
  account: accountName.default("APP"),
  user: label.default("user"),
  password: z.literal(GIVEN).optional(),
  systemUser: label.default("sys"),
  systemPassword: z.literal(GIVEN).optional(),
  accounts: accountsSchema.default({}),
  streams: z.record(z.string(), streamSettingsSchema).default({}),
});

/** Those that Pulumi hands over as JSON, not as text. */
const JSON_SETTINGS: ReadonlySet<string> = new Set([
  "regions",
  "availabilityZones",
  "nodesPerZone",
  "clientPort",
  "monitorPort",
  "keepVolumes",
  "tlsFiles",
  "certificateNames",
  "accounts",
  "streams",
]);

/** Read apart, as secrets: no plan rests on them. */
export const PASSWORDS: ReadonlySet<string> = new Set(["password", "systemPassword"]);

/**
 * Picks the settings out of a stack's config as Pulumi keeps it, text by `project:name`. A misspelt name is
 * kept, for {@link parseSettings} to refuse; of passwords is kept that they are there.
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
  if (PASSWORDS.has(name)) return GIVEN;
  const value = JSON_SETTINGS.has(name) ? parseJson(text) : text;
  return name === "accounts" ? hidePasswords(value) : value;
}

/** Text that is no JSON stays as it is: the setting's own check has the better words for it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Checks settings as people write them and fills in the defaults.
 *
 * @param raw keys are the setting names without a namespace, values plain YAML or JSON.
 * @throws PlanError with every problem found, none of them quoting a secret.
 */
export function parseSettings(raw: unknown, identity: StackIdentity): Settings {
  const parsed = schema.safeParse(raw, { error: wordIssue });
  if (!parsed.success) throw new PlanError(parsed.error.issues.flatMap(toProblems));
  const { uniqueTag, tls, tlsFiles, password, systemPassword: _, ...settings } = parsed.data;
  const { bindAddress } = settings;
  const secured = resolveTls({ tls, tlsFiles, bindAddress });
  const clientPort = settings.clientPort || defaultPort(identity);
  const complete = {
    ...settings,
    ...secured.settings,
    identity,
    hasPassword: password !== undefined,
    // The pages show accounts, connections and subjects to whoever reads them.
    monitorAddress:
      settings.monitorAddress || (isLoopback(bindAddress) ? bindAddress : "127.0.0.1"),
    uniqueTag: uniqueTag === "none" ? "" : uniqueTag,
    clientPort,
    monitorPort: settings.monitorPort || clientPort + MONITOR_PORT_DISTANCE,
  };
  const problems = [
    ...duplicates("regions", settings.regions, regionTag),
    ...duplicates("availabilityZones", settings.availabilityZones, zoneTag),
    ...reservedName(settings.account),
    ...accountProblems(complete),
    ...unreadStreams(raw, settings.streams),
    ...memoryProblems(settings),
    ...secured.problems,
  ];
  if (problems.length > 0) throw new PlanError(problems);
  return complete;
}

/** Of a container's memory, that streams may fill: the rest is the server's, its raft logs in memory among it. */
const MEMORY_SHARE = 0.5;

/**
 * A store that fills up has its node killed where it doesn't fit, and as replicas hold the same, the others with it.
 * The default is let pass where no stream of the settings is in memory: a node that is smaller need not have any.
 */
function memoryProblems({
  memory,
  maxMemoryStore,
  streams,
}: Pick<Settings, "memory" | "maxMemoryStore" | "streams">): Problem[] {
  const most = memory * MEMORY_SHARE;
  const isUsed = Object.values(streams).some(({ storage }) => storage === "memory");
  if (maxMemoryStore <= (isUsed ? most : Math.max(most, DEFAULT_MEMORY_STORE))) return [];
  return [
    {
      path: "maxMemoryStore",
      message: `${formatBytes(maxMemoryStore)} is more than half of memory: ${formatBytes(memory)}; a node whose streams in memory fill up would be killed, and all of their replicas alike`,
      fix: `use ${describeBytes(Math.floor(most))} at most, or set memory to ${describeBytes(maxMemoryStore / MEMORY_SHARE)}`,
    },
  ];
}

const MONITOR_PORT_DISTANCE = 4_000;
const DEFAULT_PORTS = { first: 10_000, step: 20, slots: 200 };

/** The first client port of a stack that names none: the same at each run, below the ephemeral ports. */
function defaultPort({ project, stack }: StackIdentity): number {
  const hash = createHash("sha256").update(`${project}/${stack}`).digest().readUInt32BE();
  return DEFAULT_PORTS.first + (hash % DEFAULT_PORTS.slots) * DEFAULT_PORTS.step;
}

/** An error that names the value. */
function says(rule: string) {
  return { error: ({ input }: { readonly input?: unknown }) => `${quoteValue(input)} ${rule}` };
}

/** Refuses an image whose version can't be told, and one that isn't accepted. */
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

/** `always` is kept, a duration becomes what Go's time.ParseDuration takes: `1d` is none of its words. */
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

/** zod leaves out what would replace an object's prototype, and says nothing. */
function unreadStreams(raw: unknown, streams: Settings["streams"]): Problem[] {
  const { streams: given = {} } = raw as { readonly streams?: object };
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(streams, name))
    .map((name) => ({ path: `streams.${name}`, message: "no stream can be called that" }));
}

function duplicates(
  path: string,
  names: readonly string[],
  tagOf: (name: string) => string,
): Problem[] {
  const firstWith = new Map<string, string>();
  return names.flatMap((name, index) => {
    const tag = tagOf(name);
    const other = firstWith.get(tag);
    firstWith.set(tag, other ?? name);
    if (other === undefined) return [];
    const message =
      other === name
        ? `"${name}" is listed twice`
        : `"${name}" and "${other}" both have the tag ${tag}`;
    return [{ path: `${path}[${index}]`, message, fix: "rename or remove one" }];
  });
}
