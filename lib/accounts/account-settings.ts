/** Settings of accounts: users and their permissions, limits, and what accounts export and import. */
import { Codec } from "@nats-io/nkeys/lib/codec.js";
import { Prefix } from "@nats-io/nkeys/lib/nkeys.js";
import { z } from "zod";
import { parseBytes, parseDuration, UNLIMITED } from "../base/quantities.ts";
import { expected, quantity, value } from "../base/schemas.ts";
import { isValidSubject } from "../streams/subjects.ts";
import { type Abilities, abilitiesSchema } from "./abilities.ts";
import { whyNoCertificateName } from "./certificate-names.ts";
import { PASSWORD_PLACEHOLDER } from "./hidden-passwords.ts";
import { type Mappings, mappingsSchema } from "./mappings.ts";

/** Allowed and denied subjects, with wildcards. `deny` takes precedence over `allow`. */
export interface SubjectRules {
  /** Default: all. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Permissions of a user. Default: everything within the account. */
export interface Permissions {
  readonly publish?: SubjectRules;
  /** A subject may be followed by a space and the name of the queue group to which the rule is limited. */
  readonly subscribe?: SubjectRules;
  /**
   * Whether the user may publish to the reply subject of a request that it received: at most `max` times (-1:
   * unlimited), within `ttl` nanoseconds. `true`: once, within two minutes. Default: no.
   */
  readonly allowResponses?: boolean | { readonly max?: number; readonly ttl?: number };
}

/** A user who logs in with a password, whose text is kept out of these settings, with an nkey, or with a certificate. */
export interface UserSettings {
  readonly password?: typeof PASSWORD_PLACEHOLDER;
  /** Public key, `U…`. */
  readonly nkey?: string;
  /** What its certificate is known by: its subject, or an alternative name. */
  readonly certificate?: string;
  /** What it may use, by names. Absent: what `permissions` say. */
  readonly can?: Abilities;
  /** With `can`: what it may do beside that. */
  readonly permissions?: Permissions;
}

/** Limits of an account in the whole cluster. Default: no limits. */
export interface AccountLimits {
  /** Connections of clients, including the stack's own during an `up`. */
  readonly connections?: number;
  readonly subscriptions?: number;
  /** Size of a message, in bytes. */
  readonly payload?: number;
}

/**
 * Limits of an account's streams and consumers; sizes are in bytes, and stores count every replica
 * (`JetStreamAccountLimits` of nats-server). Default: no limits.
 */
export interface JetStreamLimits {
  readonly maxFileStore?: number;
  readonly maxMemoryStore?: number;
  readonly maxStreams?: number;
  readonly maxConsumers?: number;
  readonly maxAckPending?: number;
  /** The largest `maxBytes` of one stream. */
  readonly maxFileStreamBytes?: number;
  readonly maxMemoryStreamBytes?: number;
  /** Whether every stream must set `maxBytes`. */
  readonly maxBytesRequired?: boolean;
}

/**
 * What other accounts may import: messages of a subject, or a service that answers at it. Default of `accounts`: all.
 */
export type ExportSettings =
  | { readonly stream: string; readonly accounts?: readonly string[] }
  | {
      readonly service: string;
      readonly accounts?: readonly string[];
      /** Whether a request gets one reply, several, or one in chunks. Default: `single`. */
      readonly response?: "single" | "stream" | "chunked";
    };

/** A subject that another account exports. */
export interface ExportedSubject {
  readonly account: string;
  readonly subject: string;
}

/** An import of what another account exports. `to`: its subject in the importing account; `prefix` is put before it. */
export type ImportSettings =
  | { readonly stream: ExportedSubject; readonly to?: string; readonly prefix?: string }
  | { readonly service: ExportedSubject; readonly to?: string };

/** One account's settings, parsed: sizes are in bytes, durations in nanoseconds. */
export interface AccountSettings {
  readonly users?: Readonly<Record<string, UserSettings>>;
  readonly limits?: AccountLimits;
  /** `false`: the account has no streams. Default: on, without limits. */
  readonly jetStream?: boolean | JetStreamLimits;
  readonly exports?: readonly ExportSettings[];
  readonly imports?: readonly ImportSettings[];
  readonly mappings?: Mappings;
}

const MAX_INT32 = 2 ** 31 - 1;

const subject = value((input) => typeof input === "string" && isValidSubject(input), "a subject", {
  type: "string",
}) as z.ZodType<string>;

const subjectOrQueue = value(
  (input) => typeof input === "string" && isSubjectOrQueue(input),
  "a subject, nor a subject and a queue group",
  { type: "string", description: "a subject, or a subject and a queue group" },
) as z.ZodType<string>;

/** Accepts `orders.*` and `orders.* workers`, as `checkPermSubjectArray` in nats-server's opts.go does (2.15). */
function isSubjectOrQueue(text: string): boolean {
  const parts = text.split(" ");
  return parts.length <= 2 && parts.every(isValidSubject);
}

/**
 * Refuses empty lists. nats-server treats an empty `allow` like an absent one, as "everything", which is hardly what
 * the user means.
 */
function subjectRules(of: z.ZodType<string>): z.ZodType<SubjectRules> {
  const list = z.array(of, { error: expected("a list of subjects") });
  return z
    .strictObject({
      allow: list
        .min(1, {
          error:
            'is empty, which nats-server takes for everything; leave it out for that, or use deny: [">"] for nothing',
        })
        .optional()
        .describe("Default: all."),
      deny: list.min(1, { error: "is empty; leave it out" }).optional().describe("Default: none."),
    })
    .refine((rules) => Object.keys(rules).length > 0, {
      error: "says nothing; use allow or deny",
    })
    .meta({
      title: "SubjectRules",
      description: "Subjects, with wildcards. What is denied counts more than what is allowed.",
    }) as z.ZodType<SubjectRules>;
}

const nanoseconds = quantity(parseDuration).refine((ttl) => ttl > 0, {
  error: "must be longer than 0",
});

const permissions = z
  .strictObject({
    publish: subjectRules(subject)
      .optional()
      .describe("Subjects that it may publish to. Default: all."),
    subscribe: subjectRules(subjectOrQueue)
      .optional()
      .describe(
        "Subjects that it may subscribe to; one may be followed by a blank and the queue group that it holds for. Default: all.",
      ),
    allowResponses: z
      .union(
        [
          z.boolean(),
          z
            .strictObject({
              max: count(UNLIMITED)
                .refine((max) => max !== 0, { error: "0 would mean 1" })
                .optional()
                .describe("How many times; -1: any number of times. Default: `1`."),
              ttl: nanoseconds
                .optional()
                .describe('How long, a duration, e.g. `30s`. Default: `"2m"`.'),
            })
            .meta({
              title: "ResponsePermission",
              description: "How often, and how long, a request may be answered.",
            }),
        ],
        { error: "must be true, false, or { max, ttl }" },
      )
      .optional()
      .describe(
        "Whether it may publish to the reply subject of a request that it got; `true`: once, two minutes long. Default: `false`.",
      ),
  })
  .superRefine(({ publish, allowResponses }, context) => {
    // With `deny` alone, whether all other subjects are allowed depends on the order in which the server reads the map's
    // keys, which is random (2.15, `parseUserPermissions`).
    if (!allowResponses || !publish || publish.allow) return;
    context.addIssue({
      code: "custom",
      path: ["publish"],
      message:
        'with allowResponses, say what else may be published: allow: [">"], or what it is; or leave publish out',
    });
  })
  .meta({
    title: "Permissions",
    description: "What a user may do.",
  }) as z.ZodType<Permissions>;

const NO_NKEY =
  "is not the public nkey of a user, which begins with U (`nk -gen user -pubout` makes one)";

/** Its errors don't quote the value, which may be a seed (a secret) by mistake. */
const nkey = z.string({ error: NO_NKEY }).refine(isPublicUserKey, { error: NO_NKEY });

/** Also verifies the checksum. */
function isPublicUserKey(text: string): boolean {
  try {
    return Codec.decode(Prefix.User, new TextEncoder().encode(text)).length === KEY_LENGTH;
  } catch {
    return false;
  }
}

const KEY_LENGTH = 32;

const certificate = z.string().superRefine((text, context) => {
  const reason = whyNoCertificateName(text);
  if (reason !== undefined) {
    context.addIssue({ code: "custom", message: `${JSON.stringify(text)} ${reason}` });
  }
});

const user = z
  .strictObject({
    // The error must not quote the value: a password may be written as a number.
    password: z
      .literal(PASSWORD_PLACEHOLDER, { error: "must be text" })
      .optional()
      .describe("A secret of 72 bytes at most; its bcrypt hash may stand in plain."),
    nkey: nkey.optional().describe("The public key, `U…`."),
    certificate: certificate
      .optional()
      .describe(
        "The name in its certificate, where `clientCertificates` has `map`: its subject, e.g. `CN=worker,O=Acme`, or one of its alternative names.",
      ),
    can: abilitiesSchema
      .optional()
      .describe(
        "Streams, buckets and consumers that it may use, and nothing else. Default: what `permissions` say.",
      ),
    permissions: permissions
      .optional()
      .describe(
        "What it may do, by subjects; beside `can`, what it may do more, and what it may not. Default: everything within the account, or what `can` says.",
      ),
  })
  .superRefine(({ password, nkey, certificate }, context) => {
    const given = Object.entries({ password, nkey, certificate })
      .filter(([, value]) => value !== undefined)
      .map(([login]) => (login === "nkey" ? "an nkey" : `a ${login}`));
    if (given.length === 1) return;
    const message =
      given.length > 1
        ? `has both ${given.join(" and ")}; use one of them`
        : "has neither password nor nkey nor certificate; give it one of them";
    context.addIssue({ code: "custom", message });
  })
  .meta({
    title: "User",
    description: "A user with a password, an nkey or a certificate.",
  }) as z.ZodType<UserSettings>;

function count(minimum: number): z.ZodType<number> {
  return value(
    (input) =>
      Number.isSafeInteger(input) && (input as number) >= minimum && (input as number) <= MAX_INT32,
    `a whole number from ${minimum} to ${MAX_INT32}`,
    { type: "integer", minimum, maximum: MAX_INT32 },
  ) as z.ZodType<number>;
}

function bytes(minimum = 0, maximum = Number.MAX_SAFE_INTEGER): z.ZodType<number> {
  return quantity(parseBytes).refine((size) => size >= minimum && size <= maximum, {
    error: minimum > 0 ? "must be a size from 1B to 2GiB" : "must be a size",
  });
}

const limits = z
  .strictObject({
    connections: count(1)
      .optional()
      .describe("Connections of clients, the stack's own during an `up` among them."),
    subscriptions: count(1).optional().describe("Subscriptions of clients."),
    payload: bytes(1, MAX_INT32)
      .optional()
      .describe("What a message may have, a size, e.g. `512KiB`."),
  })
  .meta({
    title: "AccountLimits",
    description: "Limits of an account in the whole cluster.",
  }) as z.ZodType<AccountLimits>;

const jetStreamLimits = z
  .strictObject({
    maxFileStore: bytes().optional().describe("Room for its file streams, a size, e.g. `10GiB`."),
    maxMemoryStore: bytes()
      .optional()
      .describe("Room for its memory streams, a size, e.g. `64MiB`."),
    maxStreams: count(1).optional().describe("How many streams it may have."),
    maxConsumers: count(1).optional().describe("How many consumers it may have."),
    maxAckPending: count(1)
      .optional()
      .describe("Messages that may wait for acknowledgement, of each consumer."),
    maxFileStreamBytes: bytes()
      .optional()
      .describe("What one file stream may take, a size, e.g. `1GiB`."),
    maxMemoryStreamBytes: bytes()
      .optional()
      .describe("What one memory stream may take, a size, e.g. `64MiB`."),
    maxBytesRequired: z
      .boolean()
      .optional()
      .describe("Whether each stream has to say its `maxBytes`. Default: `false`."),
  })
  .meta({
    title: "JetStreamLimits",
    description: "What the streams of an account may take, replicas counted.",
  }) as z.ZodType<JetStreamLimits>;

/** Requires exactly one of `stream` and `service`, and refuses the other kind's own setting. */
function checkKind(
  given: { readonly stream?: unknown; readonly service?: unknown },
  ownOf: Readonly<Record<"stream" | "service", string>>,
  context: z.RefinementCtx,
): void {
  const kinds = (["stream", "service"] as const).filter((kind) => given[kind] !== undefined);
  const [kind, other] = kinds;
  const foreign = kind && ownOf[kind === "stream" ? "service" : "stream"];
  if (kind === undefined || other !== undefined) {
    context.addIssue({ code: "custom", message: "must have one of stream and service" });
  } else if (foreign && Object.hasOwn(given, foreign)) {
    context.addIssue({ code: "custom", path: [foreign], message: `is not for a ${kind}` });
  }
}

const exported = z
  .strictObject({
    stream: subject.optional().describe("Subject of the messages, with wildcards."),
    service: subject.optional().describe("Subject that a service answers at, with wildcards."),
    accounts: z
      .array(z.string())
      .min(1, { error: "is empty; leave it out for all accounts" })
      .optional()
      .describe("Those that may import it. Default: all."),
    response: z
      .enum(["single", "stream", "chunked"])
      .optional()
      .describe('How a service answers a request. Default: `"single"`.'),
  })
  .superRefine((given, context) => checkKind(given, { stream: "", service: "response" }, context))
  .meta({
    title: "Export",
    description: "What other accounts may import: a stream or a service.",
  }) as unknown as z.ZodType<ExportSettings>;

const origin = z
  .strictObject({
    account: z.string().describe("Name of the account that exports it."),
    subject: subject.describe("What it is called there."),
  })
  .meta({ title: "ExportedSubject", description: "A subject of another account." });

const imported = z
  .strictObject({
    stream: origin.optional().describe("Messages of another account."),
    service: origin.optional().describe("A service of another account."),
    to: subject.optional().describe("The subject here. Default: as it is there."),
    prefix: subject.optional().describe("What goes before the subject here, of a stream."),
  })
  .superRefine((given, context) => {
    checkKind(given, { stream: "prefix", service: "" }, context);
    if (given.to === undefined || given.prefix === undefined) return;
    context.addIssue({ code: "custom", message: "to and prefix exclude each other" });
  })
  .meta({
    title: "Import",
    description: "What another account exports: a stream or a service.",
  }) as unknown as z.ZodType<ImportSettings>;

const switchOrLimits = z.union([z.boolean(), jetStreamLimits], {
  error: "must be true, false, or limits",
});

/** Parses the accounts, each by itself. See `accountProblems` for checks across accounts. */
export const accountsSchema = z.record(
  z.string(),
  z
    .strictObject({
      users: z
        .record(z.string(), user)
        .optional()
        .describe("By name, with a password, an nkey or a certificate."),
      limits: limits.optional().describe("Of the account in the whole cluster. Default: none."),
      jetStream: switchOrLimits
        .optional()
        .describe("`false`: no streams; or limits of them, replicas counted. Default: `true`."),
      exports: z.array(exported).optional().describe("What other accounts may import."),
      imports: z
        .array(imported)
        .optional()
        .describe("What other accounts export, and its name here."),
      mappings: mappingsSchema
        .optional()
        .describe(
          "Other subjects for what is published, by subject: one, or several with weights.",
        ),
    })
    .meta({
      title: "Account",
      description: "An account: users, limits, and what it shares with others.",
    }),
) as unknown as z.ZodType<Readonly<Record<string, AccountSettings>>>;

/** The desired account. It has no secrets: passwords are kept elsewhere. */
export interface AccountPlan {
  readonly name: string;
  readonly users: readonly UserPlan[];
  readonly limits: AccountLimits;
  /** `false`: JetStream is off, so it has no streams. */
  readonly jetStream: JetStreamLimits | false;
  readonly exports: readonly ExportSettings[];
  readonly imports: readonly ImportSettings[];
  /** Absent: none. */
  readonly mappings?: Mappings;
}

/** A desired user, who logs in with `nkey` or `certificate`, or if both are absent with a password. */
export interface UserPlan {
  readonly name: string;
  readonly nkey?: string;
  readonly certificate?: CertificateLogin;
  readonly permissions?: Permissions;
}

/** A login by the certificate that a client shows. */
export interface CertificateLogin {
  /** What servers call the user: the name in its certificate. */
  readonly name: string;
  /** The listeners that ask for certificates, in the server's words, e.g. `STANDARD`. On others there is no such user. */
  readonly connections: readonly string[];
}
