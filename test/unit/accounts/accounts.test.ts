import { describe, expect, test } from "vitest";
import { passwordsOf } from "../../../lib/accounts/hidden-passwords.ts";
import { draftCluster } from "../../../lib/plan/plan.ts";
import { decodeSettings, parseSettings } from "../../../lib/plan/settings.ts";
import { problemsOf } from "../../support/problems.ts";

const NKEY = "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF";
const OTHER_NKEY = "UA32MOVSC3XUV6UZFXE5T3D7246NNBPCLAVTCRSKCKH2MYBNNTKCI5H4";
const identity = { project: "nats-regions", stack: "dev" };

/** Settings as Pulumi hands them over, nested passwords decrypted. */
const read = (accounts: object, others: object = {}) => ({
  ...decodeSettings({ "nats-regions:accounts": JSON.stringify(accounts) }, "nats-regions"),
  ...others,
});
const refusals = (accounts: object, others: object = {}) =>
  problemsOf(() => {
    const draft = draftCluster(parseSettings(read(accounts, others), identity));
    return [...draft.problems, ...draft.streams.flatMap(({ problems }) => problems)];
  });
const plan = (accounts: object, others: object = {}) =>
  draftCluster(parseSettings(read(accounts, others), identity));

describe("accounts", () => {
  test("come first one first, each with its users, limits and streams", () => {
    const { accounts } = plan(
      {
        BILLING: {
          users: { writer: { password: "Zebra" }, batch: { nkey: NKEY } },
          limits: { connections: 10, subscriptions: 100, payload: "1MiB" },
          jetStream: { maxFileStore: "1GiB", maxStreams: 3 },
        },
        QUIET: { jetStream: false },
        APP: { users: { second: { password: "Yak" } }, jetStream: true },
      },
      { password: "(given)" },
    );
    expect(accounts).toMatchObject([
      { name: "APP", users: [{ name: "user" }, { name: "second" }], jetStream: {}, limits: {} },
      {
        name: "BILLING",
        users: [{ name: "writer" }, { name: "batch", nkey: NKEY }],
        limits: { connections: 10, subscriptions: 100, payload: 1024 ** 2 },
        jetStream: { maxFileStore: 1024 ** 3, maxStreams: 3 },
      },
      { name: "QUIET", users: [], jetStream: false },
    ]);
  });

  test("have no password in them, which is kept apart", () => {
    const accounts = { BILLING: { users: { writer: { password: "Zebra" } } } };
    expect(JSON.stringify(plan(accounts))).not.toContain("Zebra");
    expect(passwordsOf(accounts)).toEqual({ writer: "Zebra" });
  });

  test.each([
    ["a user", { BILLING: { users: { writer: "Zebra" } } }],
    ["users", { BILLING: { users: [{ name: "writer", password: "Zebra" }] } }],
    ["an account", { BILLING: ["Zebra"] }],
    ["accounts", [{ users: { writer: { password: "Zebra" } } }]],
  ])("are not quoted where %s is no map", (_, accounts) => {
    const problems = refusals(accounts);
    expect(problems).toEqual([expect.stringMatching(/is not a map/)]);
    expect(problems.join()).not.toContain("Zebra");
  });

  test("let the first user go where it has no password and there are others", () => {
    const others = { APP: { users: { second: { nkey: NKEY } } } };
    expect(plan(others).accounts[0]?.users).toEqual([{ name: "second", nkey: NKEY }]);
    expect(plan({}).accounts[0]?.users).toEqual([{ name: "user" }]);
  });

  test.each([
    [{ $SYS: {} }, "accounts.$SYS | $SYS is an account of the servers' own | choose another name"],
    [
      { "a.b": {} },
      "accounts.a.b | an account's name is letters, digits, dashes and underscores | choose another name",
    ],
    [{ A: { usres: {} } }, /^accounts.A.usres | there is no such setting/],
    [
      { A: { users: { u: {} } } },
      "accounts.A.users.u | has neither password nor nkey nor certificate; give it one of them",
    ],
    [
      { A: { users: { u: { password: "x", nkey: NKEY } } } },
      "accounts.A.users.u | has both a password and an nkey; use one of them",
    ],
    [{ A: { users: { u: { password: 4711 } } } }, "accounts.A.users.u.password | must be text"],
    [
      { A: { users: { u: { nkey: `${NKEY.slice(0, -1)}5` } } } },
      "accounts.A.users.u.nkey | is not the public nkey of a user, which begins with U (`nk -gen user -pubout` makes one)",
    ],
    [
      { A: { users: { u: { nkey: "SUAH" } } } },
      /nkey \| is not the public nkey of a user, which begins with U/,
    ],
    [
      { A: { users: { user: { password: "x" } } } },
      'accounts.A.users.user | "user" is a user of APP too | rename one',
    ],
    [
      { A: { users: { sys: { password: "x" } } } },
      'accounts.A.users.sys | "sys" is the system user too | rename one',
    ],
    [
      { A: { users: { u: { nkey: NKEY } } }, B: { users: { v: { nkey: NKEY } } } },
      "accounts.B.users.v.nkey | u of A has the same nkey | make another",
    ],
    [{ A: { jetStream: "on" } }, "accounts.A.jetStream | must be true, false, or limits"],
    [{ A: { jetStream: { maxStreams: 0 } } }, /^accounts.A.jetStream.maxStreams \| 0 is not a/],
    [{ A: { jetStream: { maxStream: 1 } } }, /^accounts.A.jetStream.maxStream \| there is no such/],
    [{ A: { limits: { connections: 0 } } }, /^accounts.A.limits.connections \| 0 is not a whole/],
    [{ A: { limits: { payload: "4GiB" } } }, /^accounts.A.limits.payload \| must be a size from/],
  ])("refuse %j", (accounts, problem) => {
    expect(refusals(accounts)).toEqual([
      typeof problem === "string" ? problem : expect.stringMatching(problem),
    ]);
  });
});

describe("permissions", () => {
  const user = (permissions: object) => ({ A: { users: { u: { nkey: NKEY, permissions } } } });

  test.each([
    { publish: { allow: ["orders.*"], deny: ["orders.secret"] } },
    { subscribe: { allow: ["orders.> workers"] }, allowResponses: true },
    { publish: { allow: ["a"] }, allowResponses: { max: -1, ttl: "5s" } },
  ])("take %j", (permissions) => {
    expect(refusals(user(permissions))).toEqual([]);
  });

  test.each([
    [{ publish: { allow: [] } }, /publish.allow \| is empty, which nats-server takes for every/],
    [{ publish: {} }, /publish \| says nothing; use allow or deny/],
    [{ publish: { allow: ["a..b"] } }, /publish.allow\[0\] \| "a..b" is not a subject/],
    [{ publish: { allow: ["a queue"] } }, /publish.allow\[0\] \| "a queue" is not a subject/],
    [{ subscribe: { deny: ["a b c"] } }, /subscribe.deny\[0\] \| "a b c" is not a subject/],
    [
      { publish: { deny: ["a"] }, allowResponses: true },
      /publish \| with allowResponses, say what else may be published/,
    ],
    [{ allowResponses: { max: 0 } }, /allowResponses.max/],
  ])("refuse %j", (permissions, problem) => {
    expect(refusals(user(permissions))).toEqual([expect.stringMatching(problem)]);
  });
});

describe("imports", () => {
  const sharing = (imports: object[], exports: object[] = [{ stream: "out.>" }]) => ({
    A: { exports },
    B: { imports },
    C: {},
  });

  test("are of what is exported, or a part of it", () => {
    const imports = [
      { stream: { account: "A", subject: "out.>" }, prefix: "from.a" },
      { stream: { account: "A", subject: "out.x.*" }, to: "x.*" },
      { service: { account: "A", subject: "ask" }, to: "a.ask" },
    ];
    const exports = [
      { stream: "out.>", accounts: ["B"] },
      { service: "ask", response: "stream" },
    ];
    expect(refusals(sharing(imports, exports))).toEqual([]);
  });

  test.each([
    [
      { stream: { account: "X", subject: "out.a" } },
      'accounts.B.imports[0] | there is no account "X" | use one of APP, A, B, C',
    ],
    [
      { stream: { account: "B", subject: "out.a" } },
      "accounts.B.imports[0] | is from the account itself | take it out",
    ],
    [
      { stream: { account: "A", subject: "else.>" } },
      'accounts.B.imports[0] | account A exports no stream "else.>" | add it to accounts.A.exports',
    ],
    [
      { service: { account: "A", subject: "out.a" } },
      'accounts.B.imports[0] | account A exports no service "out.a" | add it to accounts.A.exports',
    ],
    [
      { stream: { account: "A", subject: "out.*" }, to: "x" },
      `accounts.B.imports[0].to | "x" doesn't have the wildcards of "out.*" | give both the same, in the same order`,
    ],
    [
      { stream: { account: "A", subject: "out.*" }, prefix: "x.*" },
      'accounts.B.imports[0].prefix | "x.*" has wildcards | use none',
    ],
    [{ to: "x" }, "accounts.B.imports[0] | must have one of stream and service"],
    [
      { stream: { account: "A", subject: "out.a" }, to: "b", prefix: "c" },
      "accounts.B.imports[0] | to and prefix exclude each other",
    ],
    [
      { service: { account: "A", subject: "out.a" }, prefix: "c" },
      "accounts.B.imports[0].prefix | is not for a service",
    ],
  ])("refuse %j", (wanted, problem) => {
    expect(refusals(sharing([wanted]))).toEqual([problem]);
  });

  test("go by the export of the very subject, else by all that fit", () => {
    const wanted = { stream: { account: "A", subject: "out.a" } };
    const closed = { stream: "out.a", accounts: ["C"] };
    const refused = [
      'accounts.B.imports[0] | account A exports stream "out.a" to others only | add B to the accounts of that export',
    ];
    expect(refusals(sharing([wanted], [closed, { stream: ">" }]))).toEqual(refused);
    expect(refusals(sharing([wanted], [closed, { stream: "out.a" }]))).toEqual(refused);
    expect(refusals(sharing([wanted], [closed, { stream: "out.a", accounts: ["B"] }]))).toEqual([]);
    expect(
      refusals(sharing([wanted], [{ stream: "out.a" }, { stream: ">", accounts: ["C"] }])),
    ).toEqual([]);
    expect(
      refusals(sharing([wanted], [{ stream: "out.>" }, { stream: ">", accounts: ["C"] }])),
    ).toEqual([
      'accounts.B.imports[0] | account A exports stream ">" to others only | add B to the accounts of that export',
    ]);
  });

  test("refuse what is exported to others, or to nobody there is", () => {
    const wanted = { stream: { account: "A", subject: "out.a" } };
    expect(refusals(sharing([wanted], [{ stream: "out.>", accounts: ["C"] }]))).toEqual([
      'accounts.B.imports[0] | account A exports stream "out.>" to others only | add B to the accounts of that export',
    ]);
    expect(refusals(sharing([], [{ stream: "out.>", accounts: ["X"] }]))).toEqual([
      'accounts.A.exports[0].accounts | there is no account "X" | use APP, A, B, C',
    ]);
  });

  test("refuse what goes round in a circle, and the same twice", () => {
    const circle = {
      A: {
        exports: [{ service: "ask" }],
        imports: [{ service: { account: "B", subject: "ask" } }],
      },
      B: {
        exports: [{ service: "ask" }],
        imports: [{ service: { account: "A", subject: "ask" } }],
      },
    };
    expect(refusals(circle)).toEqual([
      "accounts.A.imports[0] | is part of a cycle of imports | take one import out",
      "accounts.B.imports[0] | is part of a cycle of imports | take one import out",
    ]);
    const wanted = { stream: { account: "A", subject: "out.a" } };
    expect(refusals(sharing([wanted, { ...wanted, to: "b" }]))).toEqual([
      'accounts.B.imports[1] | "out.a" is imported by accounts.B.imports[0] already | take one out',
    ]);
  });

  describe("have no account do what is asked of another's JetStream", () => {
    const given = (subject: string, more: object = {}, others: object = {}) =>
      refusals(
        {
          A: { exports: [{ service: ">" }], imports: [] },
          B: { imports: [{ service: { account: "A", subject } }], ...more },
        },
        others,
      );
    const stream = { streams: { S: { account: "B", subjects: ["s"] } } };

    test.each(["$JS.API.>", "$JS.>", ">", "$JS.API.STREAM.DELETE.*", "$JS.API.*.LIST.>"])(
      "as by an import of %s",
      (subject) => {
        expect(given(subject)).toEqual([
          `accounts.B.imports[0].to | requests to account B's own JetStream at "${subject}" would be carried out in account A, too: streams would be created and deleted in both | give it another name, e.g. to: JS.A.API.>, or switch accounts.B.jetStream off`,
        ]);
        expect(given(subject, { jetStream: false })).toEqual([]);
      },
    );

    test("but what it asks of that one alone", () => {
      expect(given("$JS.API.CONSUMER.MSG.NEXT.>", {}, stream)).toEqual([]);
      expect(given("$JS.API.STREAM.INFO.OTHER", {}, stream)).toEqual([]);
      expect(given("$JS.API.STREAM.INFO.S", {}, stream)).toEqual([
        'streams.S.account | account B imports "$JS.API.STREAM.INFO.S" from account A, so that requests for this stream would be carried out there, too | give that import another name by its to',
      ]);
      const named = { service: { account: "A", subject: "$JS.API.>" }, to: "JS.A.API.>" };
      expect(given("$JS.FC.>", { imports: [named] }, stream)).toEqual([]);
    });
  });
});

describe("a stream", () => {
  const streams = (stream: object) => ({ streams: { S: { subjects: ["s"], ...stream } } });

  test("is in the account that it names, else in the first", () => {
    const { streams } = plan(
      { BILLING: {} },
      { streams: { A: { account: "BILLING", subjects: ["s"] }, B: { subjects: ["s"] } } },
    );
    expect(streams.map(({ account }) => account)).toEqual(["BILLING", "APP"]);
  });

  test.each([
    [
      {},
      { account: "BILLING" },
      'streams.S.account | there is no account "BILLING" | add it under accounts, or use one of APP',
    ],
    [
      { APP: { jetStream: false } },
      {},
      "streams.S.account | account APP has no streams: its jetStream is off | switch it on, or name another account",
    ],
    [
      { APP: { jetStream: { maxBytesRequired: true } } },
      {},
      "streams.S.maxBytes | account APP wants it of every stream (maxBytesRequired) | say how large the stream gets",
    ],
  ])("with accounts %j refuses %j", (accounts, stream, problem) => {
    expect(refusals(accounts, streams(stream))).toEqual([problem]);
  });

  test("counts in its account", () => {
    const accounts = { APP: { jetStream: { maxStreams: 1 } } };
    const two = { streams: { A: { subjects: ["a"] }, B: { subjects: ["b"] } } };
    expect(refusals(accounts, two)).toEqual([
      "accounts.APP.jetStream.maxStreams | 1, but there are 2 streams | raise it",
    ]);
  });
});

test("an nkey that differs is no duplicate", () => {
  const accounts = { A: { users: { u: { nkey: NKEY }, v: { nkey: OTHER_NKEY } } } };
  expect(refusals(accounts)).toEqual([]);
});
