import type { MONITOR_SUBJECTS } from "../accounts/own-permissions.ts";

/**
 * What servers are asked: the same questions to the system account (`$SYS.REQ.SERVER.PING.…`, nats-server 2.15,
 * events.go) and to the monitoring port, whose parameters have other names.
 */
export interface Question {
  /** Last token of the subject. */
  readonly subject: (typeof MONITOR_SUBJECTS)[number];
  /** The request, without a filter of servers. */
  readonly body?: Readonly<Record<string, string | number | boolean>>;
  /** Path and query of the page. */
  readonly page: string;
}

export const VARIABLES: Question = { subject: "VARZ", page: "varz" };
export const HEALTH: Question = { subject: "HEALTHZ", page: "healthz" };
/** JetStream's storage and its meta group. */
export const JETSTREAM: Question = { subject: "JSZ", page: "jsz" };
/** With the storage that accounts use. */
export const ACCOUNTS_ROOM: Question = {
  subject: "JSZ",
  body: { accounts: true },
  page: "jsz?accounts=true",
};
/** With all streams that a node has a replica of, and their configs. */
export const STREAMS: Question = {
  subject: "JSZ",
  body: { accounts: true, streams: true, config: true },
  page: "jsz?accounts=true&streams=true&config=true",
};
/** With their consumers, too. */
export const CONSUMERS: Question = {
  subject: "JSZ",
  body: { ...STREAMS.body, consumer: true },
  page: `${STREAMS.page}&consumers=true`,
};
/** The names of accounts. */
export const ACCOUNT_NAMES: Question = { subject: "ACCOUNTZ", page: "accountz" };
export const ROUTES: Question = { subject: "ROUTEZ", page: "routez" };
/** With the subscriptions that a node has heard of by each route. */
export const ROUTED_INTEREST: Question = {
  subject: "ROUTEZ",
  body: { subscriptions_detail: true },
  page: "routez?subs=detail",
};

/** Subscriptions in one answer; the server's default is 1,024. */
const MOST = 100_000_000;

/** The subscriptions of an account. */
export function subscriptionsOf(account: string): Question {
  return {
    subject: "SUBSZ",
    body: { account, subscriptions: true, limit: MOST },
    page: `subsz?subs=1&limit=${MOST}&acc=${encodeURIComponent(account)}`,
  };
}
