import { describe, expect, test } from "vitest";
import { accountsBlock } from "../../../lib/accounts/accounts-conf.ts";
import { PlanError } from "../../../lib/base/errors.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const planWith = (mappings: unknown) =>
  planCluster(
    parseSettings({ accounts: { APP: { mappings } } }, { project: "nats-regions", stack: "dev" }),
  );

const problemsOf = (mappings: unknown) => {
  try {
    planWith(mappings);
    return [];
  } catch (error) {
    if (error instanceof PlanError)
      return error.problems.map(({ path, message }) => [path, message]);
    throw error;
  }
};

describe("mappings", () => {
  test("are in the account's block as the servers read them", () => {
    const mappings = {
      "old.*": "new.$1",
      beta: [
        { destination: "beta.v1", weight: 90 },
        { destination: "beta.v2", weight: 10 },
        { destination: "beta.here", weight: 100, cluster: "c1" },
      ],
    };
    const { accounts } = planWith(mappings);
    const block = accountsBlock({
      systemUser: "sys",
      accounts,
      hashes: { sys: "s", user: "u" },
      managers: {},
    });
    expect(block).toMatchObject({ accounts: { APP: { mappings } } });
  });

  test("leave the block as it was where there are none", () => {
    const { accounts } = planWith({});
    const [block] = [
      { accounts: accounts.map((account) => ({ ...account, mappings: {} })) },
      { accounts },
    ].map((given) =>
      JSON.stringify(
        accountsBlock({
          systemUser: "sys",
          hashes: { sys: "s", user: "u" },
          managers: {},
          ...given,
        }),
      ),
    );
    expect(block).not.toContain("mappings");
  });

  test.each([
    [{ "a..b": "c" }, "a..b", "is not a subject"],
    [{ 'a"b': "c" }, 'a"b', "is not a subject"],
    [{ a: "b..c" }, "a", '"b..c" is not a subject'],
    [{ a: "" }, "a", '"" is not a subject'],
    [{ "a.*": "b.*" }, "a.*", '"b.*" has a *; write $1, $2'],
    [{ "a.>": "b" }, "a.>", '"b" must end in > exactly where the source does'],
    [{ "a.*": "b.$2" }, "a.*", '"b.$2" refers to wildcard 2, and the source has 1'],
    [{ a: "b.$1" }, "a", '"b.$1" refers to wildcard 1, and the source has 0'],
    [{ "a.*": "b.{{wild(1)}}" }, "a.*", "has no function that is known: {{wild(1)}}"],
    [{ "a.*": "b.{{wildcard(1,2)}}" }, "a.*", "has other arguments than its function takes"],
    [
      {
        a: [
          { destination: "b", weight: 60 },
          { destination: "c", weight: 60 },
        ],
      },
      "a",
      "120 percent",
    ],
    [{ a: [{ destination: "b" }] }, "a[0].weight", "is missing: a whole number from 0 to 100"],
    [
      {
        a: [
          { destination: "b", weight: 1 },
          { destination: "b", weight: 1 },
        ],
      },
      "a",
      '"b" twice',
    ],
    [{ "a.*": "x.$1", "a.b": "y" }, "a.b", 'overlaps with "a.*"'],
    [{ ">": "x.>" }, ">", "would map the stack's own requests"],
    [{ "$JS.API.STREAM.INFO.*": "x.$1" }, "$JS.API.STREAM.INFO.*", "the stack's own requests"],
    [{ a: [] }, "a", "is empty"],
    [{ a: [{ destination: "b", weight: 101 }] }, "a[0].weight", "from 0 to 100"],
    [{ a: [{ destination: "b", weight: 1, wight: 1 }] }, "a[0].wight", "no such setting"],
  ])(
    "are refused as the servers refuse them, or by what they would break: %j",
    (mappings, at, message) => {
      expect(problemsOf(mappings)).toEqual([
        [`accounts.APP.mappings.${at}`, expect.stringContaining(message)],
      ]);
    },
  );

  test.each([
    { a: "b" },
    { a: "b.{{partition(5)}}" },
    { "a.*.*": "b.$2.{{wildcard(1)}}" },
    { "a.*.>": "b.{{Partition(5,1)}}.>" },
    { "a.*": "b.{{splitFromLeft(1, 2)}}" },
    { "a.*": "b.{{split(1,-)}}" },
    {
      a: [
        { destination: "b", weight: 60 },
        { destination: "c", weight: 60, cluster: "c2" },
      ],
    },
    { "a.*": "x.$1", "a.b.c": "y" },
  ])("may be %j", (mappings) => {
    expect(problemsOf(mappings)).toEqual([]);
  });
});
