/** Accounts as people write them: users, what these may do, limits, and what accounts share with each other. */
import { Codec } from "@nats-io/nkeys/lib/codec.js";
import { Prefix } from "@nats-io/nkeys/lib/nkeys.js";
import { z } from "zod";
import { parseBytes, parseDuration, UNLIMITED } from "../base/quantities.ts";
import { expected, quantity, value } from "../base/schemas.ts";
import { isValidSubject } from "../streams/subjects.ts";
import { GIVEN } from "./hidden-passwords.ts";

/** Subjects, with wildcards. What is denied counts more than what is allowed. */
export interface SubjectRules {
  /** Default: all. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** What a user may do. Default: everything within the account. */
export interface Permissions {
  readonly publish?: SubjectRules;
  /** A subject may be followed by a blank and the queue group that it holds for. */
  readonly subscribe?: SubjectRules;
  /**
   * May publish to the reply subject of a request that it got: `max` times (-1: any number of times), `ttl`
   * nanoseconds long. Default: once, two minutes.
   */
  readonly allowResponses?: boolean | { readonly max?: number; readonly ttl?: number };
}

/** A user by password, which is read apart, or by an nkey. */
export interface UserSettings {
  readonly password?: typeof GIVEN;
  /** Public key, `U…`. */
  readonly nkey?: string;
  readonly permissions?: Permissions;
}

/** Of the account in the whole cluster. Default: none. */
export interface AccountLimits {
  /** Connections of clients, the stack's own while an `up` looks at streams among them. */
  readonly connections?: number;
  readonly subscriptions?: number;
  /** Bytes of a message. */
  readonly payload?: number;
}

/** What the streams and consumers of an account may take, replicas counted (`JetStreamAccountLimits`). Default: any. */
export interface JetStreamLimits {
  readonly maxFileStore?: number;
  readonly maxMemoryStore?: number;
  readonly maxStreams?: number;
  readonly maxConsumers?: number;
  readonly maxAckPending?: number;
  /** Bytes of one stream. */
  readonly maxFileStreamBytes?: number;
  readonly maxMemoryStreamBytes?: number;
  /** Every stream has to say how large it gets. */
  readonly maxBytesRequired?: boolean;
}

/** What others may import: messages of subjects, or a service that answers at them. */
export type ExportSettings =
  | { readonly stream: string; readonly accounts?: readonly string[] }
  | {
      readonly service: string;
      readonly accounts?: readonly string[];
      /** How many answers there are to a request. Default: `single`. */
      readonly response?: "single" | "stream" | "chunked";
    };

/** Subjects of another account. */
export interface ExportedSubject {
  readonly account: string;
  readonly subject: string;
}

/** What another account exports; `to` is the subject here, `prefix` goes before it. Default: as it is there. */
export type ImportSettings =
  | { readonly stream: ExportedSubject; readonly to?: string; readonly prefix?: string }
  | { readonly service: ExportedSubject; readonly to?: string };

/** One account's settings, checked. Sizes are bytes, durations nanoseconds. */
export interface AccountSettings {
  readonly users?: Readonly<Record<string, UserSettings>>;
  readonly limits?: AccountLimits;
  /** `false`: the account has no streams. Default: on, without limits. */
  readonly jetStream?: boolean | JetStreamLimits;
  readonly exports?: readonly ExportSettings[];
  readonly imports?: readonly ImportSettings[];
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

/** `orders.*` or `orders.* workers`, as `checkPermSubjectArray` in nats-server's opts.go (2.15). */
function isSubjectOrQueue(text: string): boolean {
  const parts = text.split(" ");
  return parts.length <= 2 && parts.every(isValidSubject);
}

/**
 * No allow list at all is "everything", and nats-server takes an empty one for that too: whoever empties a
 * list hardly means to open all.
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
        .optional(),
      deny: list.min(1, { error: "is empty; leave it out" }).optional(),
    })
    .refine((rules) => Object.keys(rules).length > 0, {
      error: "says nothing; use allow or deny",
    }) as z.ZodType<SubjectRules>;
}

const nanoseconds = quantity(parseDuration).refine((ttl) => ttl > 0, {
  error: "must be longer than 0",
});

const permissions = z
  .strictObject({
    publish: subjectRules(subject).optional(),
    subscribe: subjectRules(subjectOrQueue).optional(),
    allowResponses: z
      .union(
        [
          z.boolean(),
          z.strictObject({
            max: count(UNLIMITED)
              .refine((max) => max !== 0, { error: "0 would mean 1" })
              .optional(),
            ttl: nanoseconds.optional(),
          }),
        ],
        { error: "must be true, false, or { max, ttl }" },
      )
      .optional(),
  })
  .superRefine(({ publish, allowResponses }, context) => {
    // The server reads a map's keys in any order, and takes a mere deny for "all others" or for "no others" by it
    // (2.15, `parseUserPermissions`).
    if (!allowResponses || !publish || publish.allow) return;
    context.addIssue({
      code: "custom",
      path: ["publish"],
      message:
        'with allowResponses, say what else may be published: allow: [">"], or what it is; or leave publish out',
    });
  }) as z.ZodType<Permissions>;

const NO_NKEY =
  "is not the public nkey of a user, which begins with U (`nk -gen user -pubout` makes one)";

/** What is wrong isn't shown: somebody may have taken the seed for it. */
const nkey = z.string({ error: NO_NKEY }).refine(isPublicUserKey, { error: NO_NKEY });

/** Its checksum is right, too. */
function isPublicUserKey(text: string): boolean {
  try {
    return Codec.decode(Prefix.User, new TextEncoder().encode(text)).length === KEY_LENGTH;
  } catch {
    return false;
  }
}

const KEY_LENGTH = 32;

const user = z
  .strictObject({
    // A password of another kind than text is not shown either.
    password: z.literal(GIVEN, { error: "must be text" }).optional(),
    nkey: nkey.optional(),
    permissions: permissions.optional(),
  })
  .superRefine(({ password, nkey }, context) => {
    if ((password === undefined) !== (nkey === undefined)) return;
    const message = nkey
      ? "has both a password and an nkey; use one of them"
      : "has neither password nor nkey; give it one of them";
    context.addIssue({ code: "custom", message });
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

const limits = z.strictObject({
  connections: count(1).optional(),
  subscriptions: count(1).optional(),
  payload: bytes(1, MAX_INT32).optional(),
}) as z.ZodType<AccountLimits>;

const jetStreamLimits = z.strictObject({
  maxFileStore: bytes().optional(),
  maxMemoryStore: bytes().optional(),
  maxStreams: count(1).optional(),
  maxConsumers: count(1).optional(),
  maxAckPending: count(1).optional(),
  maxFileStreamBytes: bytes().optional(),
  maxMemoryStreamBytes: bytes().optional(),
  maxBytesRequired: z.boolean().optional(),
}) as z.ZodType<JetStreamLimits>;

/** One of a stream and a service, and with each what goes with it alone. */
function checkKind(
  given: { readonly stream?: unknown; readonly service?: unknown },
  ownOf: Readonly<Record<"stream" | "service", string>>,
  context: z.RefinementCtx,
): void {
  const kinds = (["stream", "service"] as const).filter((kind) => given[kind] !== undefined);
  const [kind, other] = kinds;
  const stranger = kind && ownOf[kind === "stream" ? "service" : "stream"];
  if (kind === undefined || other !== undefined) {
    context.addIssue({ code: "custom", message: "must have one of stream and service" });
  } else if (stranger && Object.hasOwn(given, stranger)) {
    context.addIssue({ code: "custom", path: [stranger], message: `is not for a ${kind}` });
  }
}

const exported = z
  .strictObject({
    stream: subject.optional(),
    service: subject.optional(),
    accounts: z
      .array(z.string())
      .min(1, { error: "is empty; leave it out for all accounts" })
      .optional(),
    response: z.enum(["single", "stream", "chunked"]).optional(),
  })
  .superRefine((given, context) =>
    checkKind(given, { stream: "", service: "response" }, context),
  ) as unknown as z.ZodType<ExportSettings>;

const origin = z.strictObject({ account: z.string(), subject });

const imported = z
  .strictObject({
    stream: origin.optional(),
    service: origin.optional(),
    to: subject.optional(),
    prefix: subject.optional(),
  })
  .superRefine((given, context) => {
    checkKind(given, { stream: "prefix", service: "" }, context);
    if (given.to === undefined || given.prefix === undefined) return;
    context.addIssue({ code: "custom", message: "to and prefix exclude each other" });
  }) as unknown as z.ZodType<ImportSettings>;

const switchOrLimits = z.union([z.boolean(), jetStreamLimits], {
  error: "must be true, false, or limits",
});

/** Checks the accounts as people write them, but for what one has to do with another. */
export const accountsSchema = z.record(
  z.string(),
  z.strictObject({
    users: z.record(z.string(), user).optional().describe("By name, with a password or an nkey."),
    limits: limits.optional().describe("Of the account in the whole cluster. Default: none."),
    jetStream: switchOrLimits
      .optional()
      .describe("false: no streams; or limits of them, replicas counted. Default: true."),
    exports: z.array(exported).optional().describe("What other accounts may import."),
    imports: z
      .array(imported)
      .optional()
      .describe("What other accounts export, and its name here."),
  }),
) as unknown as z.ZodType<Readonly<Record<string, AccountSettings>>>;

/** An account as the servers are to have it. Holds no secret: what users log in with is kept apart. */
export interface AccountPlan {
  readonly name: string;
  readonly users: readonly UserPlan[];
  readonly limits: AccountLimits;
  /** `false`: it has no streams. */
  readonly jetStream: JetStreamLimits | false;
  readonly exports: readonly ExportSettings[];
  readonly imports: readonly ImportSettings[];
}

/** Logs in with a password, or with the nkey where there is one. */
export interface UserPlan {
  readonly name: string;
  readonly nkey?: string;
  readonly permissions?: Permissions;
}
