import { type NatsConnection, PermissionViolationError } from "nats";

/** What clients may try, by name: a request that takes what is in it, or a subject that they listen to. */
const ATTEMPTS: Readonly<
  Record<string, { readonly ask: string; readonly body?: object } | string>
> = {
  "publish to ORDERS": { ask: "orders.a" },
  "publish to EVENTS": { ask: "events.a" },
  "set a key": { ask: "$KV.CONFIG.colour" },
  "publish elsewhere": { ask: "elsewhere" },
  "publish where others are answered": { ask: "_INBOX.x" },
  "get messages by worker": {
    ask: "$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker",
    body: { batch: 1, no_wait: true },
  },
  "get messages by other": {
    ask: "$JS.API.CONSUMER.MSG.NEXT.ORDERS.other",
    body: { batch: 1, no_wait: true },
  },
  "get messages by sink": {
    ask: "$JS.API.CONSUMER.MSG.NEXT.EVENTS.sink",
    body: { batch: 1, no_wait: true },
  },
  "get messages by keeper": {
    ask: "$JS.API.CONSUMER.MSG.NEXT.KV_CONFIG.keeper",
    body: { batch: 1, no_wait: true },
  },
  "acknowledge for worker": { ask: "$JS.ACK.ORDERS.worker.1.9.9.9.0" },
  "acknowledge for other": { ask: "$JS.ACK.ORDERS.other.1.9.9.9.0" },
  "acknowledge for audit": { ask: "$JS.ACK.ORDERS.audit.1.9.9.9.0" },
  "acknowledge for keeper": { ask: "$JS.ACK.KV_CONFIG.keeper.1.9.9.9.0" },
  "slow audit down": { ask: "$JS.FC.ORDERS.audit.x" },
  "look at worker": { ask: "$JS.API.CONSUMER.INFO.ORDERS.worker" },
  "look at other": { ask: "$JS.API.CONSUMER.INFO.ORDERS.other" },
  "look at audit": { ask: "$JS.API.CONSUMER.INFO.ORDERS.audit" },
  "look at keeper": { ask: "$JS.API.CONSUMER.INFO.KV_CONFIG.keeper" },
  "look at ORDERS": { ask: "$JS.API.STREAM.INFO.ORDERS" },
  "look at CONFIG": { ask: "$JS.API.STREAM.INFO.KV_CONFIG" },
  "look at the account": { ask: "$JS.API.INFO" },
  "read ORDERS": { ask: "$JS.API.STREAM.MSG.GET.ORDERS", body: { seq: 1 } },
  "read ORDERS directly": { ask: "$JS.API.DIRECT.GET.ORDERS", body: { seq: 1 } },
  "read CONFIG": { ask: "$JS.API.STREAM.MSG.GET.KV_CONFIG", body: { seq: 1 } },
  "read CONFIG directly": { ask: "$JS.API.DIRECT.GET.KV_CONFIG", body: { seq: 1 } },
  "read a key": { ask: "$JS.API.DIRECT.GET.KV_CONFIG.$KV.CONFIG.colour" },
  "list streams": { ask: "$JS.API.STREAM.NAMES" },
  "list streams with all": { ask: "$JS.API.STREAM.LIST" },
  "list consumers of ORDERS": { ask: "$JS.API.CONSUMER.NAMES.ORDERS" },
  "list consumers of CONFIG": { ask: "$JS.API.CONSUMER.LIST.KV_CONFIG" },
  "make a stream": {
    ask: "$JS.API.STREAM.CREATE.MINE",
    body: { name: "MINE", subjects: ["mine"] },
  },
  "change ORDERS": {
    ask: "$JS.API.STREAM.UPDATE.ORDERS",
    body: { name: "ORDERS", subjects: ["orders.>"], max_msgs: 1 },
  },
  "change CONFIG": {
    ask: "$JS.API.STREAM.UPDATE.KV_CONFIG",
    body: { name: "KV_CONFIG", subjects: ["$KV.CONFIG.>"], max_msgs: 1 },
  },
  "purge ORDERS": { ask: "$JS.API.STREAM.PURGE.ORDERS" },
  "purge CONFIG": { ask: "$JS.API.STREAM.PURGE.KV_CONFIG" },
  "delete ORDERS": { ask: "$JS.API.STREAM.DELETE.ORDERS" },
  "delete CONFIG": { ask: "$JS.API.STREAM.DELETE.KV_CONFIG" },
  "delete a message of ORDERS": { ask: "$JS.API.STREAM.MSG.DELETE.ORDERS", body: { seq: 1 } },
  "delete a message of CONFIG": { ask: "$JS.API.STREAM.MSG.DELETE.KV_CONFIG", body: { seq: 1 } },
  "copy ORDERS": {
    ask: "$JS.API.STREAM.SNAPSHOT.ORDERS",
    body: { deliver_subject: "snapshot" },
  },
  "change the leader of ORDERS": { ask: "$JS.API.STREAM.LEADER.STEPDOWN.ORDERS" },
  "make a consumer of ORDERS": {
    ask: "$JS.API.CONSUMER.CREATE.ORDERS.mine",
    body: { stream_name: "ORDERS", config: { name: "mine" } },
  },
  "make a consumer of CONFIG": {
    ask: "$JS.API.CONSUMER.CREATE.KV_CONFIG.mine",
    body: { stream_name: "KV_CONFIG", config: { name: "mine", inactive_threshold: 1e9 } },
  },
  "change worker": {
    ask: "$JS.API.CONSUMER.CREATE.ORDERS.worker.orders.none",
    body: {
      stream_name: "ORDERS",
      config: { name: "worker", durable_name: "worker", filter_subject: "orders.none" },
    },
  },
  "change keeper": {
    ask: "$JS.API.CONSUMER.CREATE.KV_CONFIG.keeper",
    body: { stream_name: "KV_CONFIG", config: { name: "keeper", durable_name: "keeper" } },
  },
  "change keeper's filter": {
    ask: "$JS.API.CONSUMER.CREATE.KV_CONFIG.keeper.$KV.CONFIG.none",
    body: {
      stream_name: "KV_CONFIG",
      config: {
        name: "keeper",
        durable_name: "keeper",
        ack_policy: "explicit",
        filter_subject: "$KV.CONFIG.none",
      },
    },
  },
  "change keeper by a name in the message": {
    ask: "$JS.API.CONSUMER.CREATE.KV_CONFIG",
    body: { stream_name: "KV_CONFIG", config: { name: "keeper" } },
  },
  "make a durable consumer of CONFIG": {
    ask: "$JS.API.CONSUMER.DURABLE.CREATE.KV_CONFIG.mine",
    body: { stream_name: "KV_CONFIG", config: { durable_name: "mine" } },
  },
  "pause worker": {
    ask: "$JS.API.CONSUMER.PAUSE.ORDERS.worker",
    body: { pause_until: "2100-01-01T00:00:00Z" },
  },
  "begin worker anew": { ask: "$JS.API.CONSUMER.RESET.ORDERS.worker" },
  "unpin worker's client": { ask: "$JS.API.CONSUMER.UNPIN.ORDERS.worker" },
  "change the leader of worker": { ask: "$JS.API.CONSUMER.LEADER.STEPDOWN.ORDERS.worker" },
  "delete worker": { ask: "$JS.API.CONSUMER.DELETE.ORDERS.worker" },
  "delete keeper": { ask: "$JS.API.CONSUMER.DELETE.KV_CONFIG.keeper" },
  "hear what is published to ORDERS": "orders.>",
  "hear all": ">",
  "hear what anybody is answered": "_INBOX.>",
  "hear what worker is answered": "_INBOX_worker.>",
  "hear what worker is answered, among others": "*.>",
  "hear what audit delivers": "audited.orders",
  "hear what audit delivers, in its group": "audited.orders auditors",
  "hear advisories": "$JS.EVENT.ADVISORY.>",
};

/** Tries everything there is to try. @returns names of what servers let through; they refuse the rest as not permitted. */
export async function permitted(client: NatsConnection): Promise<string[]> {
  const tried = Object.entries(ATTEMPTS).map(async ([name, attempt]) => {
    const isLet =
      typeof attempt === "string"
        ? await mayHear(client, attempt)
        : await mayAsk(client, attempt.ask, attempt.body ?? {});
    return isLet ? [name] : [];
  });
  return (await Promise.all(tried)).flat();
}

/** Some requests have no answer: who lacks a permission is told at once. */
async function mayAsk(client: NatsConnection, subject: string, body: object): Promise<boolean> {
  try {
    await client.request(subject, JSON.stringify(body), { timeout: 1_000 });
    return true;
  } catch (error) {
    return !isRefusal(error);
  }
}

async function mayHear(client: NatsConnection, subjectAndQueue: string): Promise<boolean> {
  const [subject = "", queue] = subjectAndQueue.split(" ");
  let isRefused = false;
  const callback = (error: Error | null) => {
    isRefused ||= isRefusal(error);
  };
  const subscription = client.subscribe(subject, { callback, ...(queue ? { queue } : {}) });
  await client.flush();
  if (!isRefused) subscription.unsubscribe();
  return !isRefused;
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    [error, error.cause].some((each) => each instanceof PermissionViolationError)
  );
}
