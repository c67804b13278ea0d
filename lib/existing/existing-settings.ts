/** The settings of a cluster that others run: how it is reached, how its servers are tagged, and its streams. */
import { z } from "zod";
import { PASSWORD_PLACEHOLDER } from "../accounts/hidden-passwords.ts";
import { withoutBrackets } from "../base/addresses.ts";
import { PlanError, type Problem } from "../base/errors.ts";
import { expected, textSchema } from "../base/schemas.ts";
import { toProblems, wordIssue } from "../base/setting-errors.ts";
import type { SettingsPlace } from "../base/settings-place.ts";
import { quoteValue } from "../base/wording.ts";
import {
  type BucketSettings,
  bucketSettingsSchema,
  type ObjectStoreSettings,
  objectStoreSettingsSchema,
} from "../buckets/bucket-settings.ts";
import {
  type StreamWithConsumers,
  streamWithConsumersSchema,
} from "../consumers/stream-consumers.ts";
import { schemaOf, unreadBuckets, unreadStreams } from "../plan/settings.ts";
import { SETTINGS } from "../settings/settings-table.ts";
import { API_PREFIX, isLiteralSubject } from "../streams/subjects.ts";
import { loginSchema } from "./logins.ts";

/** A server in the settings. */
export interface GivenServer {
  readonly name: string;
  /** Name of its cluster. Default: the cluster of the server that answers. */
  readonly cluster?: string;
  readonly tags: readonly string[];
}

/** The servers as the settings have them. */
export interface Topology {
  /** `jetstream.unique_tag` of the servers. Default: none. */
  readonly uniqueTag: string;
  readonly servers: readonly GivenServer[];
}

/** Prefixes of the tags that tell where a server is. */
export interface PlacePrefixes {
  /** E.g. `rg:`. */
  readonly regionTag: string;
  /** E.g. `az:`. */
  readonly zoneTag: string;
}

/** Parsed settings, without secrets. */
export interface ExistingSettings extends PlacePrefixes {
  /** URLs with ports, e.g. `tls://n2:4222`. */
  readonly servers: readonly string[];
  /** Hosts of these. */
  readonly hosts: readonly string[];
  /** Whether the servers have TLS. */
  readonly hasTls: boolean;
  /** What the account of `login` is called. Absent: as the servers call it. */
  readonly account?: string;
  /** Names of the accounts besides that one. */
  readonly others: readonly string[];
  readonly hasSystemLogin: boolean;
  /** Prefix of the subjects of JetStream's API. Absent: that of the account itself. */
  readonly apiPrefix?: string;
  /** JetStream's domain. Absent: that of the servers. */
  readonly domain?: string;
  readonly topology?: Topology;
  readonly streams: Readonly<Record<string, StreamWithConsumers>>;
  readonly buckets: Readonly<Record<string, BucketSettings>>;
  readonly objectStores: Readonly<Record<string, ObjectStoreSettings>>;
  /** Milliseconds; see the setting of that name of a cluster of one's own. */
  readonly patience: number;
}

const SCHEMES: ReadonlySet<string> = new Set(["nats:", "tls:"]);
const DEFAULT_PORT = 4222;

const serverSchema = textSchema("the URL of a server").transform((text, context): URL => {
  const given = String(text);
  const url = given.includes("://") ? given : `nats://${given}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const refuse = (message: string) => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  if (!parsed || parsed.hostname === "" || !["", "/"].includes(parsed.pathname)) {
    return refuse("is not the URL of a server, e.g. nats://n1.example.com:4222");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    return refuse("has a user; put it into login, where the password is a secret");
  }
  if (!SCHEMES.has(parsed.protocol)) {
    return refuse(`${quoteValue(parsed.protocol)} is neither nats: nor tls:`);
  }
  return parsed;
});

const name = textSchema("a name") as z.ZodType<string>;

const prefix = z.string().regex(/^[^\s!]+$/, {
  error: ({ input }) => `${quoteValue(input)} is no prefix of tags, e.g. region:`,
});

const topologySchema = z.strictObject({
  uniqueTag: z.string().default(""),
  servers: z
    .array(
      z.strictObject({
        name,
        cluster: name.exactOptional(),
        tags: z.array(name).default([]),
      }),
      { error: expected("a list of servers") },
    )
    .min(1),
});

const secret = z.literal(PASSWORD_PLACEHOLDER, { error: "is not text" }).optional();

const tlsSchema = z
  .strictObject({ ca: secret, certificate: secret, key: secret })
  .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
    error: "has a certificate without a key, or a key without a certificate; give both",
  });

const schema = z.strictObject({
  servers: z.array(serverSchema, { error: expected("a list of URLs") }).min(1),
  login: loginSchema.prefault({}),
  account: name.exactOptional(),
  accounts: z.record(z.string(), z.strictObject({ login: loginSchema.prefault({}) })).prefault({}),
  systemLogin: loginSchema.optional(),
  tls: tlsSchema.optional(),
  domain: z
    .string()
    .refine((text) => isLiteralSubject(text) && !text.includes("."), {
      error: ({ input }) => `${quoteValue(input)} is no name of a domain`,
    })
    .exactOptional(),
  apiPrefix: z
    .string()
    .refine(isLiteralSubject, {
      error: ({ input }) => `${quoteValue(input)} is no subject, e.g. $JS.hub.API`,
    })
    .exactOptional(),
  topology: topologySchema.exactOptional(),
  regionTag: prefix.default("rg:"),
  zoneTag: prefix.default("az:"),
  streams: z.record(z.string(), streamWithConsumersSchema).prefault({}),
  buckets: z.record(z.string(), bucketSettingsSchema).prefault({}),
  objectStores: z.record(z.string(), objectStoreSettingsSchema).prefault({}),
  patience: (schemaOf(SETTINGS.patience) as z.ZodType<number>).prefault(
    SETTINGS.patience.default as never,
  ),
});

/**
 * Parses settings and fills in their defaults.
 *
 * @param raw values by name, with a placeholder for each secret.
 * @throws PlanError with all problems. None of them quotes a secret.
 */
export function parseExisting(raw: unknown, place: SettingsPlace): ExistingSettings {
  const parsed = schema.safeParse(raw, { error: wordIssue, reportInput: true });
  if (!parsed.success) {
    throw new PlanError(parsed.error.issues.flatMap((issue) => toProblems(issue, place)));
  }
  const { servers, login: _, accounts, systemLogin, tls, domain, apiPrefix, ...rest } = parsed.data;
  const streams = rest.streams as ExistingSettings["streams"];
  const problems: Problem[] = [
    ...(domain !== undefined && apiPrefix !== undefined
      ? [{ path: "apiPrefix", message: "is there besides domain", fix: "leave one of them" }]
      : []),
    ...(rest.account !== undefined && Object.hasOwn(accounts, rest.account)
      ? [
          {
            path: `accounts.${rest.account}`,
            message: "is the account of login",
            fix: "take it out",
          },
        ]
      : []),
    ...unreadStreams(raw, streams),
    ...unreadBuckets(raw, rest),
  ];
  if (problems.length > 0) throw new PlanError(problems);
  const api = apiPrefix ?? (domain === undefined ? undefined : `$JS.${domain}.API`);
  return {
    ...rest,
    streams,
    servers: servers.map(({ protocol, hostname, port }) => {
      return `${protocol}//${hostname}:${port || DEFAULT_PORT}`;
    }),
    hosts: [...new Set(servers.map(({ hostname }) => withoutBrackets(hostname)))],
    hasTls: tls !== undefined || servers.some(({ protocol }) => protocol === "tls:"),
    others: Object.keys(accounts),
    hasSystemLogin: systemLogin !== undefined,
    ...(api === undefined || api === API_PREFIX ? {} : { apiPrefix: api }),
    ...(domain === undefined ? {} : { domain }),
  };
}
