/** Turns what users may do with streams and consumers (`can`) into permissions. */
import type { Problem } from "../base/errors.ts";
import { ownValue } from "../base/records.ts";
import { listNames } from "../base/schemas.ts";
import { quoteValue } from "../base/wording.ts";
import type { ConsumerConfig } from "../consumers/consumer-fields.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { isLiteralSubject, subjectsOverlap } from "../streams/subjects.ts";
import { ABILITIES, type Abilities, type Ability, ownInbox } from "./abilities.ts";
import type {
  AccountPlan,
  AccountSettings,
  Permissions,
  SubjectRules,
} from "./account-settings.ts";
import {
  consumerNeeds,
  readerNeeds,
  type SubjectNeeds,
  watcherNeeds,
} from "./jetstream-subjects.ts";

/** A stream as far as permissions depend on it. */
export interface UsedStream {
  readonly key: string;
  readonly name: string;
  readonly account: string;
  readonly config: Pick<StreamConfig, "subjects" | "mirror" | "retention">;
  readonly consumers: readonly { readonly name: string; readonly config: ConsumerConfig }[];
}

/** Accounts whose users have all their permissions, and what is wrong with names in `can`. */
export interface Granted {
  readonly accounts: readonly AccountPlan[];
  readonly problems: readonly Problem[];
}

/**
 * Adds the permissions that follow from `can` to those of users. A user with `can` may do that, and what its
 * `permissions` allow; what those deny, it may not do in any case.
 */
export function grantAbilities(
  accounts: readonly AccountPlan[],
  settings: Readonly<Record<string, AccountSettings>>,
  streams: readonly UsedStream[],
): Granted {
  const problems: Problem[] = [];
  const granted = accounts.map((account): AccountPlan => {
    const users = ownValue(settings, account.name)?.users ?? {};
    return {
      ...account,
      users: account.users.map((user) => {
        const can = ownValue(users, user.name)?.can;
        if (!can) return user;
        const compiled = compileAbilities(can, { user: user.name, account: account.name, streams });
        const path = `accounts.${account.name}.users.${user.name}.can`;
        problems.push(
          ...compiled.problems.map((each) => ({ ...each, path: `${path}.${each.path}` })),
        );
        return { ...user, permissions: allow(compiled.needs, user.permissions) };
      }),
    };
  });
  return { accounts: granted, problems };
}

interface Surroundings {
  readonly user: string;
  readonly account: string;
  readonly streams: readonly UsedStream[];
}

interface CompiledAbilities {
  readonly needs: readonly SubjectNeeds[];
  /** Their paths are relative to `can`. */
  readonly problems: readonly Problem[];
}

function compileAbilities(
  can: Abilities,
  { user, account, streams }: Surroundings,
): CompiledAbilities {
  // By the stream's own name, as the user may have said that of its bucket.
  const consumed = new Set(
    (can.consume ?? []).map((name) => {
      const [stream = "", consumer] = name.split("/");
      return `${streamCalled(stream, account, streams)?.name}/${consumer}`;
    }),
  );
  const compiled = ABILITIES.flatMap((ability) =>
    (can[ability] ?? []).map((name): Compiled => {
      const [stream = "", consumer] = ability === "consume" ? name.split("/") : [name];
      const found = streamCalled(stream, account, streams);
      if (!found) return { problem: { path: ability, ...unknownStream(stream, account, streams) } };
      const need = NEEDS[ability](found, consumer ?? "", consumed);
      return "publish" in need ? { need } : { problem: { path: ability, ...need } };
    }),
  );
  const { inbox = ownInbox(user) } = can;
  return {
    needs: [
      ...compiled.flatMap(({ need }) => need ?? []),
      { publish: [], subscribe: [`${inbox}.>`] },
    ],
    problems: [
      ...compiled.flatMap(({ problem }) => problem ?? []),
      ...(can.inbox !== undefined || isToken(user)
        ? []
        : [
            {
              path: "inbox",
              message: `is missing: ${quoteValue(user)} can't be a part of a subject, so it has none of its own`,
              fix: `say which one its clients have, e.g. ${ownInbox("worker")}`,
            },
          ]),
    ],
  };
}

interface Compiled {
  readonly need?: SubjectNeeds;
  readonly problem?: Problem;
}

type Fault = Omit<Problem, "path">;

/** What each ability takes, or why it can't be had. */
const NEEDS: Readonly<
  Record<
    Ability,
    (stream: UsedStream, consumer: string, consumed: ReadonlySet<string>) => SubjectNeeds | Fault
  >
> = {
  publish: ({ name, config }) => {
    const { subjects = [] } = config;
    if (subjects.length === 0) {
      const kind = config.mirror ? "a mirror" : "filled by its sources alone";
      return {
        message: `stream ${name} takes no messages from clients: it is ${kind}`,
        fix: "take it out",
      };
    }
    const wide = subjects.find((subject) => subjectsOverlap(subject, "$JS.>"));
    if (wide === undefined) return { publish: subjects };
    return {
      message: `"${wide}" of stream ${name} is the subject of requests to JetStream, too: whoever may publish to it may change and delete every stream`,
      fix: "say in permissions.publish.allow which of its subjects the user may publish to",
    };
  },
  consume: ({ key, name, account, consumers }, wanted) => {
    const found = consumers.find((consumer) => consumer.name === wanted);
    if (found) return consumerNeeds(account, name, found.config);
    const there = consumers.map((each) => `${name}/${each.name}`);
    const use = there.length === 0 ? "" : `use ${listNames(there)}, or `;
    return {
      message: `stream ${name} has no consumer "${wanted}"`,
      fix: `${use}add it under streams.${key}.consumers`,
    };
  },
  read: ({ name }) => readerNeeds(name),
  watch: ({ name, account, config, consumers }, _, consumed) => {
    const { retention = "limits" } = config;
    if (retention !== "limits") {
      return {
        message: `stream ${name} has retention ${retention}, so that a consumer which a client makes there would keep or take messages of others`,
        fix: "name a consumer of it in consume, or the stream in read",
      };
    }
    const names = consumers.map((consumer) => consumer.name);
    const own = names.filter((consumer) => consumed.has(`${name}/${consumer}`));
    return watcherNeeds(account, name, names, own);
  },
};

/** The stream of that name in an account, or the one of the key-value bucket of that name. */
function streamCalled(
  name: string,
  account: string,
  streams: readonly UsedStream[],
): UsedStream | undefined {
  const here = streams.filter((stream) => stream.account === account);
  return (
    here.find((stream) => stream.name === name) ??
    here.find((stream) => stream.name === `${BUCKET_PREFIX}${name}`)
  );
}

/** What clients put before a bucket's name to get that of its stream. */
const BUCKET_PREFIX = "KV_";

function unknownStream(name: string, account: string, streams: readonly UsedStream[]): Fault {
  const there = streams.filter((stream) => stream.account === account).map((each) => each.name);
  const elsewhere = streams.find((stream) => stream.name === name)?.account;
  const where = elsewhere === undefined ? "" : `; that is in account ${elsewhere}`;
  return {
    message: `account ${account} has no stream or bucket "${name}" in the settings${where}`,
    fix: there.length === 0 ? "add it, or take it out" : `use ${listNames(there)}`,
  };
}

/** Whether a name can be a part of a subject: a user `a` would hear what `a.b` is answered. */
function isToken(name: string): boolean {
  return isLiteralSubject(name) && !name.includes(".");
}

function allow(needs: readonly SubjectNeeds[], permissions: Permissions = {}): Permissions {
  const { publish, subscribe, ...others } = permissions;
  return {
    ...others,
    publish: joinRules(
      needs.flatMap((need) => need.publish),
      needs.flatMap(({ except = [] }) => except),
      publish,
    ),
    subscribe: joinRules(
      needs.flatMap((need) => need.subscribe ?? []),
      [],
      subscribe,
    ),
  };
}

function joinRules(
  allowed: readonly string[],
  denied: readonly string[],
  { allow = [], deny = [] }: SubjectRules = {},
): SubjectRules {
  const except = [...new Set([...denied, ...deny])];
  return {
    // The server would take an empty list for everything.
    allow: [...new Set([...allowed, ...allow])],
    ...(except.length > 0 ? { deny: except } : {}),
  };
}
