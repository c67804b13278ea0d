import { describe, expect, test } from "vitest";
import { withAccounts, withPoolSize } from "../../../lib/nodes/nats-conf.ts";
import {
  type AccountInterest,
  describeLostInterest,
  findLostInterest,
  type NodeInterest,
  pickNode,
  stillLost,
} from "../../../lib/observed/lost-interest.ts";

interface Seen {
  readonly accounts?: Readonly<Record<string, Partial<AccountInterest>>>;
  /** Subjects by account, by node. */
  readonly received?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

function node(name: string, { accounts = { A: {} }, received = {} }: Seen): NodeInterest {
  const toSets = (announced: Readonly<Record<string, readonly string[]>>) =>
    new Map(Object.entries(announced).map(([account, subjects]) => [account, new Set(subjects)]));
  return {
    name,
    accounts: new Map(
      Object.entries(accounts).map(
        ([account, { announced = new Set<string>(), own = 0, matched = 0 }]) => [
          account,
          { announced, own, matched },
        ],
      ),
    ),
    received: new Map(
      Object.entries(received).map(([peer, announced]) => [peer, toSets(announced)]),
    ),
  };
}

const speaker = node("n1", { accounts: { A: { announced: new Set(["x"]), own: 1, matched: 1 } } });

describe("findLostInterest", () => {
  test("finds what one has to tell and another doesn't have", () => {
    const deaf = node("n2", { received: { n1: {} } });
    const missed = { by: "n2", from: "n1", account: "A", subject: "x" };
    expect(findLostInterest([speaker, deaf])).toEqual([missed]);
    expect(describeLostInterest([missed])).toBe("n2 doesn't hear that n1 wants x of account A");
  });

  test("finds nothing where all is received, and takes one without a route for no listener", () => {
    const listener = node("n2", {
      accounts: { A: { own: 2, matched: 3 } },
      received: { n1: { A: ["x"] } },
    });
    expect(findLostInterest([speaker, listener])).toEqual([]);
    expect(findLostInterest([speaker, node("n2", {})])).toEqual([]);
  });

  test("expects nothing to be received of an account that isn't known", () => {
    expect(findLostInterest([speaker, node("n2", { accounts: {}, received: { n1: {} } })])).toEqual(
      [],
    );
  });

  test.each([
    ["of an account that has gone", {}],
    ["that no message is matched with", { A: { own: 2, matched: 2 } }],
  ])("finds what a route still has %s", (_, accounts) => {
    const listener = node("n2", { accounts, received: { n1: { A: ["x"] } } });
    const stale = { by: "n2", from: "n1", account: "A" };
    expect(findLostInterest([listener])).toEqual([stale]);
    expect(describeLostInterest([stale])).toContain("n1 wants some subjects of account A");
  });
});

test("what is received a moment later was on its way", () => {
  const first = { by: "n2", from: "n1", account: "A", subject: "x" };
  const second = { ...first, subject: "y" };
  expect(stillLost([first, second], [second])).toEqual([second]);
});

describe("pickNode", () => {
  const pairs = [
    { by: "n2", from: "n1", account: "A" },
    { by: "n3", from: "n1", account: "A" },
    { by: "n3", from: "n1", account: "B" },
  ];

  test("picks the one with whom most others have to speak", () => {
    expect(pickNode(pairs, new Set())).toBe("n1");
  });

  test("picks none twice", () => {
    expect(pickNode(pairs, new Set(["n1"]))).toBe("n2");
    expect(pickNode(pairs, new Set(["n1", "n2", "n3"]))).toBeUndefined();
  });
});

test("a rendered config can have other accounts and another pool", () => {
  const accounts = '"accounts": {\n  "APP": {\n    "users": [\n    ]\n  }\n}\n';
  expect(withAccounts(accounts, ["APP"])).toBe(accounts);
  expect(withAccounts(accounts, ["APP", "B"])).toBe(
    '"accounts": {\n  "APP": {\n    "users": [\n    ]\n  }\n  "B": {\n    "users": []\n  }\n}\n',
  );
  expect(withPoolSize('"port": 1\n"cluster": {\n  "name": "c"\n}\n', 4)).toBe(
    '"port": 1\n"cluster": {\n  "pool_size": 4\n  "name": "c"\n}\n',
  );
});
