import { describe, expect, it } from "vitest";
import { originError } from "../../../lib/plan/origins.ts";
import { draftCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { leavingOrigins } from "../../../lib/update/remembered-streams.ts";

const IDENTITY = { project: "nats-regions", stack: "dev" };

/** What a plan says of one stream. */
function draft(
  stream: object,
  others: object = {},
  accounts: object = {},
  nodes: { readonly leafNodes?: boolean } = {},
) {
  const streams = { COPY: stream, ...others };
  const settings = parseSettings({ streams, accounts, ...nodes }, IDENTITY);
  const found = draftCluster(settings).streams.find(({ name }) => name === "COPY");
  return {
    warnings: found?.warnings.filter((each) => /^(mirror|sources)/.test(each)),
    problems: found?.problems.map(({ path }) => path),
  };
}

describe("a plan", () => {
  const EVENTS = { subjects: ["events.>"], replicas: 3 };

  it("says which origins it doesn't have, and which filters match nothing", () => {
    expect(draft({ mirror: { name: "ORDRES" } }, { EVENTS })).toEqual({
      warnings: ["mirror: ORDRES isn't in these settings; nothing is copied unless it is there"],
      problems: [],
    });
    const sources = [
      { name: "EVENTS", filterSubject: "evnts.>" },
      { name: "EVENTS", filterSubject: "*.eu" },
    ];
    expect(draft({ sources }, { EVENTS }).warnings).toEqual([
      'sources[0]: no message that EVENTS takes matches "evnts.>"',
    ]);
    expect(draft({ mirror: { name: "EVENTS" } }, { EVENTS }).warnings).toEqual([]);
  });

  it("refuses the API of another account that none of its imports reaches", () => {
    const mirror = { name: "EVENTS", external: { api: "JS.far.API", deliver: "deliver.far" } };
    const FAR = {
      exports: [{ service: "$JS.API.>" }, { service: "$JS.FC.>" }, { stream: "deliver.far.>" }],
    };
    const api = { service: { account: "FAR", subject: "$JS.API.>" }, to: "JS.far.API.>" };
    const deliver = { stream: { account: "FAR", subject: "deliver.far.>" } };
    const flow = { service: { account: "FAR", subject: "$JS.FC.>" } };
    const given = (...imports: object[]) =>
      draft({ mirror }, { EVENTS: { ...EVENTS, account: "FAR" } }, { APP: { imports }, FAR });
    expect(given(api, deliver, flow)).toEqual({ warnings: [], problems: [] });
    expect(given(deliver, flow).problems).toEqual(["streams.COPY.mirror.external.api"]);
    expect(given(api, deliver).warnings).toEqual([
      expect.stringMatching(/imports no service "\$JS.FC.>".*10228/),
    ]);
  });

  it("leaves an API that no account has to leaf nodes, where there are any", () => {
    const mirror = { name: "EVENTS", external: { api: "JS.far.API", deliver: "deliver.far" } };
    expect(draft({ mirror }, {}, {}, { leafNodes: true })).toEqual({ warnings: [], problems: [] });
    const own = { name: "EVENTS", external: { api: "$JS.API" } };
    expect(draft({ mirror: own }, {}, {}, { leafNodes: true }).problems).toEqual([
      "streams.COPY.mirror.external.api",
    ]);
  });

  describe("of a stream of another account", () => {
    const API = { service: { account: "FAR", subject: "$JS.API.>" }, to: "JS.far.API.>" };
    const DELIVER = { stream: { account: "FAR", subject: "deliver.far.>" } };
    const FLOW = { service: { account: "FAR", subject: "$JS.FC.>" } };
    const EXPORTS = [API, FLOW].map(({ service }) => ({ service: service.subject }));

    /** What the plan of a mirror refuses and warns of. */
    function judge(
      {
        imports = [API, DELIVER, FLOW] as object[],
        external = {},
        ...origin
      }: Record<string, unknown> & { imports?: object[] } = {},
      exports: readonly object[] = [...EXPORTS, { stream: ">" }],
    ) {
      const far = { api: "JS.far.API", deliver: "deliver.far", ...(external as object) };
      const mirror = { name: "EVENTS", external: far, ...origin };
      const settings = parseSettings(
        {
          streams: { EVENTS: { ...EVENTS, account: "FAR" }, COPY: { mirror } },
          accounts: { APP: { imports }, FAR: { exports } },
        },
        IDENTITY,
      );
      const copy = draftCluster(settings).streams.find(({ name }) => name === "COPY");
      return {
        problems: copy?.problems.map(({ path, message, fix }) => `${path}: ${message}: ${fix}`),
        warnings: copy?.warnings.filter((each) => each.startsWith("mirror")),
      };
    }

    it("names the import that its messages would come by, and the export that it lacks", () => {
      expect(judge().problems).toEqual([]);
      const lacking =
        'streams.COPY.mirror.external.deliver: account APP imports no stream "deliver.far.M.*" from account FAR under the same name, so nothing that is delivered gets here: add { stream: { account: FAR, subject: deliver.far.> } } to accounts.APP.imports';
      expect(judge({ imports: [API, FLOW] }).problems).toEqual([lacking]);
      expect(judge({ imports: [API, FLOW] }, EXPORTS).problems).toEqual([
        `${lacking}, and { stream: deliver.far.> } to accounts.FAR.exports`,
      ]);
      const unset = { external: { deliver: undefined } };
      expect(judge(unset).problems).toEqual([
        expect.stringMatching(
          /imports no stream "\$JS\.M\.\*" .*: set it, e\.g\. deliver\.FAR, and add .*subject: deliver\.FAR\.> /,
        ),
      ]);
      const standard = { stream: { account: "FAR", subject: "$JS.M.>" } };
      expect(judge({ ...unset, imports: [API, FLOW, standard] }).problems).toEqual([]);
    });

    it("names the request that no import carries", () => {
      const create = (rest: string) => ({
        service: { account: "FAR", subject: `$JS.API.CONSUMER.CREATE.EVENTS${rest}` },
        to: `JS.far.API.CONSUMER.CREATE.EVENTS${rest}`,
      });
      const given = (rest: string, origin: object = {}) =>
        judge({ ...origin, imports: [create(rest), DELIVER, FLOW] }).problems;
      const filtered = { filterSubject: "events.*" };
      expect(given("")).toEqual([]);
      expect(given(".>")).toEqual([
        expect.stringContaining('imports no service "JS.far.API.CONSUMER.CREATE.EVENTS" that is'),
      ]);
      expect(given(".>", filtered)).toEqual([]);
      expect(given(".*.events.*", filtered)).toEqual([]);
      expect(given("", filtered)).toEqual([
        expect.stringContaining('"JS.far.API.CONSUMER.CREATE.EVENTS.*.events.*" that is'),
      ]);
      const consumer = { name: "FOR_APP", deliverSubject: "deliver.far.app" };
      expect(given("", { consumer })).toEqual([
        expect.stringContaining('"JS.far.API.CONSUMER.RESET.EVENTS.FOR_APP" that is'),
      ]);
      expect(judge({ consumer }).problems).toEqual([]);
    });

    it.each([
      [{ api: "JS.*.API" }, 'mirror.external.api: "JS.*.API" is no subject'],
      [{ api: "$JS.API" }, `mirror.external.api: "$JS.API" is this account's own`],
      [{ deliver: "deliver.far." }, 'mirror.external.deliver: "deliver.far." is no subject'],
    ])("is refused where nats-server would: %j", (external, problem) => {
      expect(judge({ external }).problems).toEqual([expect.stringContaining(problem)]);
    });

    it("says that it isn't in these settings, and which filters match nothing", () => {
      expect(judge({ name: "EVNTS" }).warnings).toEqual([
        "mirror: EVNTS isn't in these settings, in account FAR; nothing is copied unless it is there",
      ]);
      expect(judge({ filterSubject: "evnts.>" }).warnings).toEqual([
        'mirror: no message that EVENTS takes matches "evnts.>"',
      ]);
    });
  });

  it("says that a mirror gives what has expired at its origin", () => {
    const CONFIG = { subjects: ["c.>"], allowDirect: true, allowMsgTtl: true, maxAge: "1m" };
    const mirror = { mirror: { name: "CONFIG" } };
    expect(draft(mirror, { CONFIG }).warnings).toEqual([
      "mirror: COPY answers direct reads of CONFIG, and goes on giving what has expired there; give it the same maxAge and allowMsgTtl",
    ]);
    const same = { ...mirror, allowMsgTtl: true, maxAge: "1m" };
    expect(draft(same, { CONFIG }).warnings).toEqual([]);
    expect(draft(mirror, { CONFIG: { ...CONFIG, allowDirect: false } }).warnings).toEqual([]);
  });
});

describe("originError", () => {
  const well = { name: "SRC", lag: 5, active: 2e8 };

  it("is silent of one that is heard, however far behind", () => {
    expect(originError(well)).toBeUndefined();
  });

  it("tells errors, silence, and that nothing was ever heard", () => {
    expect(originError({ ...well, active: -1 })).toContain("has never heard of SRC");
    expect(originError({ ...well, active: 60e9 })).toBe("it has heard nothing of SRC for 60 s");
    const error = { err_code: 10228, description: "stalled" };
    expect(originError({ ...well, error })).toMatch(/stalled \(error 10228\).*\$JS.FC/);
  });
});

describe("leavingOrigins", () => {
  it("names streams that leave and that others mirror", () => {
    const olds = { account: "APP", streams: { SRC: {}, COPY: {} } };
    const news = { account: "APP", streams: { COPY: {} } };
    expect(leavingOrigins(olds, news, { COPY: "SRC" })).toEqual([
      expect.stringMatching(/^stream SRC is taken out of the settings, but COPY mirrors it/),
    ]);
    expect(leavingOrigins(olds, olds, { COPY: "SRC" })).toEqual([]);
    expect(leavingOrigins(olds, news, {})).toEqual([]);
    expect(leavingOrigins(olds, news, { COPY: "ELSEWHERE" })).toEqual([]);
    expect(leavingOrigins(olds, news, { COPY: "constructor" })).toEqual([]);
  });

  it("names those too that an up was to delete, and failed before it did", () => {
    const news = { account: "APP", streams: { COPY: {} } };
    const leavingIn = (account?: string) => ({
      ...news,
      leaving: { SRC: account === undefined ? {} : { account } },
    });
    expect(leavingOrigins(leavingIn(), news, { COPY: "SRC" })).toHaveLength(1);
    expect(leavingOrigins(leavingIn("OTHER"), news, { COPY: "SRC" })).toEqual([]);
  });
});
