import type { NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderAccountsConf } from "../../lib/nodes/nats-conf.ts";
import { draftCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import {
  closeConnections,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { AccountCluster } from "../support/account-cluster.ts";
import { eventually } from "../support/eventually.ts";

/** Twice as many as go without an answer on `$JS.FC.>`. */
const MESSAGES = 7_000;
const PAYLOADS = Array.from({ length: MESSAGES }, (_, index) => `${index} `.padEnd(512, "."));

type Kind = "service" | "stream";

/** What an account imports from another. */
const take = (kind: Kind, account: string, subject: string, to?: string) => ({
  [kind]: { account, subject },
  ...(to === undefined ? {} : { to }),
});

/** Three accounts, as a case names them. */
interface Names {
  readonly far: string;
  readonly mid: string;
  readonly app: string;
}

interface Case {
  /** What comes of it: all messages, some and then none, none at all. */
  readonly copied: "all" | "some" | "none";
  readonly imports: (names: Names) => readonly object[];
  readonly external?: object;
  readonly origin?: object;
  readonly isSource?: true;
  readonly farImports?: (names: Names) => readonly object[];
  readonly midImports?: (names: Names) => readonly object[];
}

const api =
  (rest = ">", account?: string) =>
  (names: Names) =>
    take("service", account ?? names.far, `$JS.API.${rest}`, `JS.far.API.${rest}`);
const usual = (names: Names) => [api()(names), take("service", names.far, "$JS.FC.>")];
const delivered = ({ far }: Names) => take("stream", far, "deliver.far.>");
const filter = { filterSubject: "events.*" };
const request = (rest: string) => (names: Names) => [
  api(rest)(names),
  delivered(names),
  take("service", names.far, "$JS.FC.>"),
];

const CASES: Readonly<Record<string, Case>> = {
  "with all that it takes": { copied: "all", imports: (n) => [...usual(n), delivered(n)] },
  "with all that a source takes": {
    copied: "all",
    isSource: true,
    imports: (n) => [...usual(n), delivered(n)],
  },
  "without flow control": { copied: "some", imports: (n) => [api()(n), delivered(n)] },
  "with flow control under another name": {
    copied: "some",
    imports: (n) => [api()(n), delivered(n), take("service", n.far, "$JS.FC.>", "far.FC.>")],
  },
  "with flow control of that stream only": {
    copied: "all",
    imports: (n) => [api()(n), delivered(n), take("service", n.far, "$JS.FC.EVENTS.>")],
  },
  "with flow control as a stream": {
    copied: "all",
    imports: (n) => [api()(n), delivered(n)],
    farImports: ({ app }) => [take("stream", app, "$JS.FC.>")],
  },
  "with flow control by a third account": {
    copied: "all",
    imports: (n) => [api()(n), delivered(n), take("service", n.mid, "mid.>", "$JS.FC.>")],
    midImports: ({ far }) => [take("service", far, "$JS.FC.>", "mid.>")],
  },
  "with nothing delivered": { copied: "none", imports: usual },
  "with nothing said of what is delivered": {
    copied: "none",
    external: { api: "JS.far.API" },
    imports: (n) => [...usual(n), delivered(n)],
  },
  "delivered where it is by itself": {
    copied: "all",
    external: { api: "JS.far.API" },
    imports: (n) => [...usual(n), take("stream", n.far, "$JS.M.>")],
  },
  "delivered under another name": {
    copied: "none",
    imports: (n) => [...usual(n), take("stream", n.far, "deliver.>", "from.deliver.>")],
  },
  "delivered a token short": {
    copied: "none",
    imports: (n) => [...usual(n), take("stream", n.far, "deliver.far.*")],
  },
  "a source delivered as a mirror": {
    copied: "none",
    isSource: true,
    imports: (n) => [...usual(n), take("stream", n.far, "deliver.far.M.*")],
  },
  "delivered by a third account": {
    copied: "none",
    imports: (n) => [...usual(n), take("stream", n.mid, "deliver.far.>")],
    midImports: (n) => [delivered(n)],
  },
  "asked by a third account": {
    copied: "all",
    imports: (n) => [
      take("service", n.mid, "mid.>", "JS.far.API.>"),
      delivered(n),
      take("service", n.far, "$JS.FC.>"),
    ],
    midImports: ({ far }) => [take("service", far, "$JS.API.>", "mid.>")],
  },
  "asked what isn't imported": { copied: "none", imports: request("CONSUMER.INFO.>") },
  "asked for all": { copied: "all", imports: request("CONSUMER.CREATE.EVENTS") },
  "asked for all, imported for some": {
    copied: "none",
    imports: request("CONSUMER.CREATE.EVENTS.>"),
  },
  "asked for some": {
    copied: "all",
    origin: filter,
    imports: request("CONSUMER.CREATE.EVENTS.*.events.*"),
  },
  "asked for some, imported for all": {
    copied: "none",
    origin: filter,
    imports: request("CONSUMER.CREATE.EVENTS"),
  },
};

/** The accounts and users of a case have its number. */
const cases = Object.entries(CASES).map(([label, each], index) => ({
  label,
  ...each,
  names: { far: `FAR${index}`, mid: `MID${index}`, app: `APP${index}` },
  copy: `COPY${index}`,
}));

const FAR_EXPORTS = [{ service: "$JS.API.>" }, { service: "$JS.FC.>" }, { stream: ">" }];

function accountsOf({ imports, farImports, midImports, names }: (typeof cases)[number]): object {
  const given = (user: string) => ({ users: { [user]: { password: "(given)" } } });
  const exports = [{ service: "mid.>" }, { stream: ">" }];
  return {
    [names.far]: { ...given(names.far), exports: FAR_EXPORTS, imports: farImports?.(names) ?? [] },
    [names.app]: { ...given(names.app), exports: [{ stream: ">" }], imports: imports(names) },
    ...(midImports
      ? { [names.mid]: { jetStream: false, exports, imports: midImports(names) } }
      : {}),
  };
}

function streamOf({ names, isSource, origin, external }: (typeof cases)[number]): object {
  const far = external ?? { api: "JS.far.API", deliver: "deliver.far" };
  const from = { name: "EVENTS", external: far, ...origin };
  return { account: names.app, ...(isSource ? { sources: [from] } : { mirror: from }) };
}

const draft = draftCluster(
  parseSettings(
    {
      password: "(given)",
      accounts: Object.assign({}, ...cases.map(accountsOf)),
      streams: Object.fromEntries(cases.map((each) => [each.copy, streamOf(each)])),
    },
    { project: "nats-regions", stack: "dev" },
  ),
);

let cluster: AccountCluster;

beforeAll(async () => {
  const users = draft.accounts.flatMap((account) => account.users.map(({ name }) => name));
  const hashes = Object.fromEntries(["sys", ...users].map((name) => [name, name]));
  const { accounts } = draft;
  cluster = await AccountCluster.start(
    3,
    renderAccountsConf({ systemUser: "sys", accounts, hashes, managers: {} }),
  );
  await eventually(async () => Array.isArray(await portOf("FAR0").names()));
  await Promise.all(cases.map(({ names }) => fill(names.far)));
  await Promise.all(
    cases.map(async ({ names, copy }) => {
      const plan = draft.streams.find(({ name }) => name === copy);
      if (plan) await create(portOf(names.app), plan.config);
    }),
  );
});

afterAll(async () => {
  await closeConnections();
  await cluster[Symbol.asyncDispose]();
});

function portOf(account: string): JetStreamPort {
  const urls = cluster.nodes.map(({ clientUrl }) => clientUrl);
  return openJetStream({ urls, user: account, password: account }, account);
}

/** A meta group that has only begun may refuse it. */
function create(port: JetStreamPort, config: StreamConfig): Promise<void> {
  return eventually(async () => {
    await port.create(config);
    return true;
  });
}

async function fill(account: string): Promise<void> {
  const port = portOf(account);
  await create(port, { name: "EVENTS", subjects: ["events.*"] });
  const client = await cluster.connect("n0", account);
  for (const payload of PAYLOADS) client.publish("events.new", payload);
  await client.flush();
  await eventually(async () => (await port.info("EVENTS")).state.messages === MESSAGES, 60_000);
  await client.close();
}

/** What is in a stream, message by message, as a consumer gets it. */
async function contentsOf(client: NatsConnection, stream: string): Promise<string[]> {
  const inbox = `contents.${stream}`;
  const payloads: string[] = [];
  client.subscribe(inbox, { callback: (_, message) => void payloads.push(message.string()) });
  const config = { name: "ALL", deliver_subject: inbox, ack_policy: "none", deliver_policy: "all" };
  const body = JSON.stringify({ stream_name: stream, config });
  await client.request(`$JS.API.CONSUMER.CREATE.${stream}.ALL`, body, { timeout: 5_000 });
  await eventually(async () => payloads.length >= MESSAGES, 30_000);
  return payloads;
}

/** Those that never end come last, so that they had the time that the others took. */
const order = ["all", "some", "none"];
const sorted = cases.toSorted((a, b) => order.indexOf(a.copied) - order.indexOf(b.copied));

describe("a copy of another account's stream", () => {
  test.each(sorted)("$label: $copied come", async ({ copied, names, copy }) => {
    const planned = draft.streams.find(({ name }) => name === copy);
    const stalls = planned?.warnings.filter((each) => each.includes("10228")) ?? [];
    expect([planned?.problems.length, stalls.length]).toEqual(
      { all: [0, 0], some: [0, 1], none: [1, 0] }[copied],
    );
    const port = portOf(names.app);
    const info = () => port.info(copy);
    if (copied === "all") {
      await eventually(async () => (await info()).state.messages === MESSAGES, 60_000);
      const client = await cluster.connect("n1", names.app);
      expect(await contentsOf(client, copy)).toEqual(PAYLOADS);
      await client.close();
      return;
    }
    if (copied === "some") {
      const errorOf = async () => {
        const { mirror, sources } = await info();
        return (mirror ?? sources?.[0])?.error?.err_code;
      };
      await eventually(async () => (await errorOf()) === 10228, 60_000);
      expect((await info()).state.messages).toBeLessThan(MESSAGES);
      return;
    }
    expect((await info()).state.messages).toBe(0);
  });
});
