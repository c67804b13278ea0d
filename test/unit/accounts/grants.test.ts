import { describe, expect, test } from "vitest";
import { draftCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { problemsOf } from "../../support/problems.ts";

const NKEY = "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF";
const STREAMS = {
  ORDERS: {
    subjects: ["orders.*", "returns.>"],
    consumers: {
      worker: {},
      push: { deliverSubject: "pushed" },
      group: { deliverSubject: "pushed.all", deliverGroup: "g" },
      deaf: { ackPolicy: "none" },
    },
  },
  KV_CONFIG: { subjects: ["$KV.CONFIG.>"], consumers: { keeper: {} } },
  WORK: { subjects: ["work"], retention: "workqueue" },
  COPY: { mirror: { name: "ORDERS" } },
  MERGED: { sources: [{ name: "ORDERS" }] },
  ALL: { account: "OPEN", subjects: [">"], noAck: true },
  OWN: { account: "WIDE", stream: "ORDERS", subjects: ["own"] },
};

const draftOf = (can: object, { user = "u", account = "APP", ...others } = {}) =>
  draftCluster(
    parseSettings(
      {
        accounts: {
          WIDE: {},
          OPEN: {},
          [account]: { users: { [user]: { nkey: NKEY, can, ...others } } },
        },
        streams: STREAMS,
      },
      { project: "nats-regions", stack: "dev" },
    ),
  );
const permissionsOf = (...[can, others]: Parameters<typeof draftOf>) => {
  const { accounts } = draftOf(can, others);
  return accounts.flatMap(({ users }) => users).find(({ nkey }) => nkey === NKEY)?.permissions;
};
const refusals = (...args: Parameters<typeof draftOf>) =>
  problemsOf(() => draftOf(...args).problems);

/** The hash of account APP, as nats-server 2.15.2 has it in acknowledgements. */
const HASH = "xNZj6HOx";

describe("a user who can", () => {
  test.each([
    [
      "publish",
      { publish: ["ORDERS", "CONFIG"] },
      { publish: ["orders.*", "returns.>", "$KV.CONFIG.>"] },
    ],
    [
      "consume by pulling",
      { consume: ["ORDERS/worker"] },
      {
        publish: [
          "$JS.API.CONSUMER.INFO.ORDERS.worker",
          "$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker",
          "$JS.ACK.ORDERS.worker.>",
          `$JS.ACK.*.${HASH}.ORDERS.worker.>`,
        ],
      },
    ],
    [
      "consume what needs no acknowledgement",
      { consume: ["ORDERS/deaf"] },
      {
        publish: ["$JS.API.CONSUMER.INFO.ORDERS.deaf", "$JS.API.CONSUMER.MSG.NEXT.ORDERS.deaf"],
      },
    ],
    [
      "be pushed messages",
      { consume: ["ORDERS/push"] },
      {
        publish: [
          "$JS.API.CONSUMER.INFO.ORDERS.push",
          "$JS.ACK.ORDERS.push.>",
          `$JS.ACK.*.${HASH}.ORDERS.push.>`,
        ],
        subscribe: ["pushed"],
      },
    ],
    [
      "be pushed messages in a group",
      { consume: ["ORDERS/group"] },
      {
        publish: [
          "$JS.API.CONSUMER.INFO.ORDERS.group",
          "$JS.ACK.ORDERS.group.>",
          `$JS.ACK.*.${HASH}.ORDERS.group.>`,
        ],
        subscribe: ["pushed.all g"],
      },
    ],
  ])(
    "%s has the subjects for that",
    (_, can, {
      publish,
      subscribe = [],
    }: {
      publish: string[];
      subscribe?: string[];
    }) => {
      expect(refusals(can)).toEqual([]);
      expect(permissionsOf(can)).toEqual({
        publish: { allow: publish },
        subscribe: { allow: [...subscribe, "_INBOX_u.>"] },
      });
    },
  );

  test("watch must not use the stream's own consumers, except those that it may consume", () => {
    const deny = (can: object) => permissionsOf(can)?.publish?.deny;
    const changes = [
      "$JS.API.CONSUMER.CREATE.KV_CONFIG.keeper",
      "$JS.API.CONSUMER.CREATE.KV_CONFIG.keeper.>",
    ];
    expect(deny({ watch: ["CONFIG"] })).toEqual([
      ...changes,
      "$JS.API.CONSUMER.MSG.NEXT.KV_CONFIG.keeper",
    ]);
    for (const consumer of ["CONFIG/keeper", "KV_CONFIG/keeper"]) {
      expect(deny({ watch: ["CONFIG"], consume: [consumer] })).toEqual(changes);
    }
  });

  test("do something has what its permissions say, too", () => {
    const permissions = {
      publish: { allow: ["other"], deny: ["orders.secret"] },
      subscribe: { allow: ["orders.* workers"] },
      allowResponses: true,
    };
    expect(permissionsOf({ publish: ["ORDERS"] }, { permissions } as object)).toEqual({
      publish: { allow: ["orders.*", "returns.>", "other"], deny: ["orders.secret"] },
      subscribe: { allow: ["_INBOX_u.>", "orders.* workers"] },
      allowResponses: true,
    });
  });

  test("use a stream of another name than its key is in the stream's account", () => {
    const can = { publish: ["ORDERS"] };
    expect(permissionsOf(can, { account: "WIDE" })?.publish).toEqual({ allow: ["own"] });
  });

  test("be answered elsewhere hears nothing at an inbox of its name", () => {
    const can = { publish: ["ORDERS"], inbox: "_INBOX" };
    expect(permissionsOf(can)?.subscribe).toEqual({ allow: ["_INBOX.>"] });
    const dotted = { publish: ["ORDERS"], inbox: "_INBOX_team.a" };
    expect(permissionsOf(dotted, { user: "a.b" })?.subscribe).toEqual({
      allow: ["_INBOX_team.a.>"],
    });
  });
});

const NAMES = "ORDERS, KV_CONFIG, WORK, COPY or MERGED";
const CAN = "accounts.APP.users.u.can";

test.each([
  [
    { publish: ["ORDRES"] },
    `${CAN}.publish | account APP has no stream or bucket "ORDRES" in the settings | use ${NAMES}`,
  ],
  [
    { read: ["ALL"] },
    `${CAN}.read | account APP has no stream or bucket "ALL" in the settings; that is in account OPEN | use ${NAMES}`,
  ],
  [
    { consume: ["ORDERS/wrker"] },
    `${CAN}.consume | stream ORDERS has no consumer "wrker" | use ORDERS/worker, ORDERS/push, ORDERS/group or ORDERS/deaf, or add it under streams.ORDERS.consumers`,
  ],
  [
    { consume: ["WORK/worker"] },
    `${CAN}.consume | stream WORK has no consumer "worker" | add it under streams.WORK.consumers`,
  ],
  [
    { publish: ["COPY"] },
    `${CAN}.publish | stream COPY takes no messages from clients: it is a mirror | take it out`,
  ],
  [
    { publish: ["MERGED"] },
    `${CAN}.publish | stream MERGED takes no messages from clients: it is filled by its sources alone | take it out`,
  ],
  [
    { watch: ["WORK"] },
    `${CAN}.watch | stream WORK has retention workqueue, so that a consumer which a client makes there would keep or take messages of others | name a consumer of it in consume, or the stream in read`,
  ],
  [{}, `${CAN} | names nothing; use publish, consume, read or watch`],
  [{ inbox: "_INBOX" }, `${CAN} | names nothing; use publish, consume, read or watch`],
  [{ publish: [] }, `${CAN}.publish | is empty; leave it out`],
  [{ publish: "ORDERS" }, `${CAN}.publish | "ORDERS" is not a list of names of streams`],
  [
    { consume: ["ORDERS"] },
    `${CAN}.consume[0] | "ORDERS" is not a stream and its consumer, e.g. ORDERS/worker`,
  ],
  [
    { read: ["ORDERS"], inbox: "$JS" },
    `${CAN}.inbox | "$JS" is not a subject without wildcards that begins with _INBOX, e.g. _INBOX_worker`,
  ],
  [
    { read: ["ORDERS"], inbox: "_INBOX.*" },
    `${CAN}.inbox | "_INBOX.*" is not a subject without wildcards that begins with _INBOX, e.g. _INBOX_worker`,
  ],
  [{ write: ["ORDERS"] }, /^accounts.APP.users.u.can.write \| there is no such setting/],
])("%j is refused", (can, problem) => {
  expect(refusals(can)).toContainEqual(
    typeof problem === "string" ? problem : expect.stringMatching(problem),
  );
});

test("publishing to a stream that takes requests to JetStream is refused", () => {
  expect(refusals({ publish: ["ALL"] }, { account: "OPEN" })).toEqual([
    'accounts.OPEN.users.u.can.publish | ">" of stream ALL is the subject of requests to JetStream, too: whoever may publish to it may change and delete every stream | say in permissions.publish.allow which of its subjects the user may publish to',
  ]);
});

test("a name that is no part of a subject has no inbox of its own", () => {
  for (const user of ["a.b", "*", ">"]) {
    expect(refusals({ publish: ["ORDERS"] }, { user })).toEqual([
      `accounts.APP.users.${user}.can.inbox | is missing: "${user}" can't be a part of a subject, so it has none of its own | say which one its clients have, e.g. _INBOX_worker`,
    ]);
  }
});

test("a user without can has the permissions that it has", () => {
  const settings = { accounts: { APP: { users: { u: { nkey: NKEY } } } }, streams: STREAMS };
  const draft = draftCluster(
    parseSettings(
      { ...settings, accounts: { WIDE: {}, OPEN: {}, ...settings.accounts } },
      { project: "nats-regions", stack: "dev" },
    ),
  );
  expect(draft.accounts.flatMap(({ users }) => users)).toContainEqual({ name: "u", nkey: NKEY });
});
