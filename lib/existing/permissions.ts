/** What a login must be allowed for the streams of a plan. */
import type { Problem } from "../base/errors.ts";
import { listSome } from "../base/wording.ts";
import type { ConsumerPlan } from "../consumers/consumer-config.ts";
import { API_PREFIX, isSubset, subjectsOverlap } from "../streams/subjects.ts";

/** Allowed and denied subjects, as servers tell a client of its own (`$SYS.REQ.USER.INFO`). Absent: all, none. */
export interface OwnRules {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

export interface OwnPermissions {
  readonly publish?: OwnRules | undefined;
  readonly subscribe?: OwnRules | undefined;
}

interface Managed {
  readonly name: string;
  readonly consumers: readonly Pick<ConsumerPlan, "name">[];
}

const OF_ACCOUNT = ["INFO", "STREAM.NAMES"];
const OF_STREAM = ["INFO", "CREATE", "UPDATE", "DELETE", "LEADER.STEPDOWN"];
const OF_CONSUMER = ["INFO", "CREATE", "DELETE"];
/** Subject of the answers, with a token for each that the client makes up (@nats-io/nats-core 3.4). */
const INBOX = "_INBOX.*.*";

/** The subjects to which requests for an account's streams and consumers go. */
export function neededSubjects(streams: readonly Managed[], apiPrefix = API_PREFIX): string[] {
  return [
    ...OF_ACCOUNT,
    ...streams.flatMap(({ name: stream, consumers }) => [
      ...OF_STREAM.map((verb) => `STREAM.${verb}.${stream}`),
      `CONSUMER.LIST.${stream}`,
      ...(consumers.length > 0 ? [`CONSUMER.NAMES.${stream}`] : []),
      ...consumers.flatMap(({ name }) =>
        OF_CONSUMER.map((verb) => `CONSUMER.${verb}.${stream}.${name}`),
      ),
    ]),
  ].map((verb) => `${apiPrefix}.${verb}`);
}

/**
 * Reports what a login may not do, and would have to.
 *
 * @param path of the login in the settings.
 */
export function permissionProblems(
  path: string,
  { publish, subscribe }: OwnPermissions,
  needed: readonly string[],
): Problem[] {
  const denied = needed.filter((subject) => !isAllowed(subject, publish));
  const deaf = isAllowed(INBOX, subscribe) ? [] : ["_INBOX.>"];
  const what = [
    ...(denied.length > 0 ? [`publish to ${listSome(denied)}`] : []),
    ...(deaf.length > 0 ? [`subscribe to ${deaf.join()}`] : []),
  ];
  if (what.length === 0) return [];
  return [{ path, message: `may not ${what.join(", nor ")}`, fix: "have it allowed there" }];
}

function isAllowed(subject: string, { allow = [], deny = [] }: OwnRules = {}): boolean {
  const within = allow.length === 0 || allow.some((each) => isSubset(subject, subjectOf(each)));
  return within && !deny.some((each) => !isOfQueue(each) && subjectsOverlap(subject, each));
}

/** Without the queue group that may follow a subject. */
function subjectOf(rule: string): string {
  return rule.split(" ")[0] ?? rule;
}

function isOfQueue(rule: string): boolean {
  return rule.includes(" ");
}
