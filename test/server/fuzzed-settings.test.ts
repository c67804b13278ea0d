import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { connect } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashPassword } from "../../lib/accounts/credentials.ts";
import { PlanError } from "../../lib/base/errors.ts";
import { LEAF_PORT, MQTT_PORT, WEBSOCKET_PORT } from "../../lib/nodes/listeners.ts";
import {
  CONFIG_DIR,
  configDigest,
  DATA_DIR,
  ENCRYPTION_FILE,
  type NodeSecrets,
  renderAccountsConf,
  renderEncryptionConf,
  TLS_FILES,
} from "../../lib/nodes/nats-conf.ts";
import { CLIENT_TLS_FILES } from "../../lib/nodes/tls-blocks.ts";
import { passwordProblems } from "../../lib/plan/passwords.ts";
import { type ClusterPlan, nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { decodeSettings, parseSettings } from "../../lib/plan/settings.ts";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import {
  type ConfigTexts,
  fuzzedSettings,
  MARKER,
  SETTING_NAMES,
} from "../support/fuzzed-settings.ts";
import { BINARY, startProcess } from "../support/server-process.ts";

/**
 * Whatever people write into a stack's settings is refused in words, or makes a config that nats-server
 * takes, with the values that were meant.
 *
 * SETTINGS_CASES: how many settings. SETTINGS_SEED: the seed to draw them from, as the tests' names give it.
 * SETTINGS_CASE: one of them, as a failure prints it, instead.
 */
const CASES = Number(process.env.SETTINGS_CASES ?? 800);
const SEED = Number(process.env.SETTINGS_SEED ?? Date.now() % 1_000_000);
const CASE: ConfigTexts | undefined =
  process.env.SETTINGS_CASE && JSON.parse(process.env.SETTINGS_CASE);

/** Servers that run at the same time. */
const WORKERS = 2;
/** Of the cases: in how many a server is started, and both users log in. */
const LOGINS = Math.ceil(CASES / 80);
const ENCRYPTION_KEY = 'key-Ibex-1234 $x " \\ long enough';
const IDENTITY = { project: "nats-regions", stack: "fuzz" };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
  await writeCertificate(path.join(folder, "certificate"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function drawCases(count: number): readonly ConfigTexts[] {
  return CASE ? [CASE] : fc.sample(fuzzedSettings, { seed: SEED, numRuns: count });
}

interface Accepted {
  readonly plan: ClusterPlan;
  readonly system: Login;
  readonly application: Login;
}

interface Login {
  readonly account: string;
  readonly user: string;
  readonly password: string;
}

/** Plans settings as the program does. */
function accept(texts: ConfigTexts): Accepted | PlanError {
  const { project } = IDENTITY;
  const config = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [`${project}:${name}`, text]),
  );
  try {
    const settings = parseSettings(decodeSettings(config, project), IDENTITY);
    const plan = planCluster(settings);
    const { password = "", systemPassword = "" } = texts;
    const encrypted = ["password", "systemPassword", "encryptionKey"];
    const problems = passwordProblems(plan, {
      system: texts.systemPassword,
      simple: texts.password,
      users: {},
      encryptionKey: plan.isEncrypted ? ENCRYPTION_KEY : undefined,
      encrypted,
      plainUsers: [],
    });
    if (problems.length > 0) return new PlanError(problems);
    const { account, user, systemUser } = settings;
    return {
      plan,
      system: { account: "$SYS", user: systemUser, password: systemPassword },
      application: { account, user, password },
    };
  } catch (error) {
    if (error instanceof PlanError) return error;
    throw error;
  }
}

/** What the servers are to know of whoever logs in. */
async function accountsOf(
  { plan, system, application }: Accepted,
  hash: (login: Login) => Promise<string>,
): Promise<NodeSecrets> {
  const [systemHash, applicationHash] = await Promise.all([hash(system), hash(application)]);
  return {
    systemUser: system.user,
    accounts: plan.accounts,
    hashes: { [system.user]: systemHash, [application.user]: applicationHash },
    managers: {},
    ...(plan.isEncrypted ? { encryptionKey: ENCRYPTION_KEY } : {}),
  };
}

/** A real one takes longer than all else. */
const anyHash = async () => `$2b$10$${"x".repeat(53)}`;

const hashOf = ({ account, user, password }: Login) =>
  hashPassword(password, "owner", account, user);

/** What is wrong with how settings are refused. */
function faultsOfRefusal({ problems, message }: PlanError, texts: ConfigTexts): string[] {
  const isSetting = (at: string) =>
    SETTING_NAMES.has(at.match(/^[^.[]+/)?.[0] ?? "") || Object.hasOwn(texts, at);
  return [
    ...problems.filter((problem) => !isSetting(problem.path)).map(({ path }) => `no path: ${path}`),
    // The words that zod has for what nobody gave it any.
    ...problems.map((problem) => problem.message).filter((words) => /^(Invalid|Too) /.test(words)),
    ...(message.includes(MARKER) ? ["a password is in the error"] : []),
  ];
}

/** What is wrong with settings that were accepted. */
async function faultsOfPlan(
  accepted: Accepted,
  texts: ConfigTexts,
  where: { readonly node: number; readonly folder: string },
): Promise<string[]> {
  const { plan } = accepted;
  const accounts = await accountsOf(accepted, anyHash);
  const nodes = nodesOf(plan);
  const node = nodes[where.node % nodes.length];
  if (!node) return ["no nodes"];
  const asked = Object.keys(JSON.parse(texts.streams ?? "{}"));
  const planned = plan.streams.map(({ key }) => key);
  const file = await writeConf(where.folder, node.confText, accounts);
  const { exitCode, all } = await execa(BINARY, ["-t", "-c", file], { all: true, reject: false });
  // Which options there are is for the server to say.
  if (texts.config !== undefined && all.includes("unknown field")) return [];
  // Certificates lie elsewhere here, which makes another config of it.
  const isMeant = plan.tls !== "none" || all.includes(configDigest(node.conf, accounts));
  return [
    ...asked.filter((name) => !planned.includes(name)).map((name) => `no stream ${name}`),
    ...(exitCode === 0 ? [] : [`${node.name} is refused: ${all}`]),
    ...(exitCode === 0 && !isMeant ? [`${node.name} is read otherwise than meant: ${all}`] : []),
  ];
}

async function writeCertificate(place: string): Promise<void> {
  const authority = await makeAuthority();
  const { certificate, key } = await makeCertificate("node", authority);
  await mkdir(place);
  for (const files of [TLS_FILES, CLIENT_TLS_FILES]) {
    await writeFile(path.join(place, files.ca), authority.certificate);
    await writeFile(path.join(place, files.certificate), certificate);
    await writeFile(path.join(place, files.key), key);
  }
}

async function writeConf(place: string, conf: string, accounts: NodeSecrets): Promise<string> {
  await mkdir(place, { recursive: true });
  const here = conf.replaceAll(`"${CONFIG_DIR}/`, `"${folder}/certificate/`);
  await writeFile(path.join(place, "nats.conf"), here);
  await writeFile(path.join(place, "accounts.conf"), renderAccountsConf(accounts));
  const { encryptionKey = "" } = accounts;
  await writeFile(path.join(place, ENCRYPTION_FILE), renderEncryptionConf(encryptionKey));
  return path.join(place, "nats.conf");
}

interface Failure {
  readonly texts: ConfigTexts;
  readonly faults: readonly string[];
}

async function expectNone(
  cases: readonly ConfigTexts[],
  faultsOf: (texts: ConfigTexts, index: number, worker: number) => Promise<readonly string[]>,
): Promise<void> {
  const queue = cases.entries();
  const failures: Failure[] = [];
  const work = async (_: unknown, worker: number) => {
    for (const [index, texts] of queue) {
      const faults = await faultsOf(texts, index, worker).catch((error: Error) => [
        `${error.stack}`,
      ]);
      if (faults.length > 0) failures.push({ texts, faults });
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  if (failures.length > 0) throw new Error(describe(failures));
}

function describe(failures: readonly Failure[]): string {
  const size = ({ texts }: Failure) => JSON.stringify(texts).length;
  const [simplest] = failures.toSorted((a, b) => size(a) - size(b));
  const text = JSON.stringify(simplest?.texts).replaceAll("'", "\\u0027");
  return [
    `${failures.length} settings fail; the simplest:`,
    ...(simplest?.faults ?? []),
    `SETTINGS_CASE='${text}' npx vitest run --project server fuzzed-settings`,
  ].join("\n");
}

test(
  `${CASES} settings are refused in words, or make a config that nats-server reads as meant (SETTINGS_SEED=${SEED})`,
  async () => {
    const counts = { planned: 0, refused: 0 };
    await expectNone(drawCases(CASES), async (texts, index, worker) => {
      const accepted = accept(texts);
      const isRefused = accepted instanceof PlanError;
      counts[isRefused ? "refused" : "planned"] += 1;
      if (isRefused) return faultsOfRefusal(accepted, texts);
      const where = { node: index, folder: path.join(folder, `${worker}`) };
      return faultsOfPlan(accepted, texts, where);
    });
    console.log(JSON.stringify(counts));
    // A generator that found only one kind would prove little.
    if (CASE) return;
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(CASES / 8);
  },
  60_000 + CASES * 100,
);

/** Starts the server of a node alone, with its ports and its folder for data elsewhere. */
async function startServer(place: string, confText: string, accounts: NodeSecrets) {
  const own = confText
    .replace(`"${DATA_DIR}"`, `"${place}"`)
    .replace(
      new RegExp(`"port": (${LEAF_PORT}|${WEBSOCKET_PORT}|${MQTT_PORT})$`, "gm"),
      `"port": -1`,
    );
  const conf = await writeConf(place, own, accounts);
  const ports = ["--port=-1", "--http_port=-1", "--cluster=nats://127.0.0.1:-1"];
  const told = ["--addr=127.0.0.1", `--ports_file_dir=${place}`];
  const child = startProcess(["-c", conf, ...ports, ...told]);
  const exit = once(child, "exit");
  const end = exit.then(([code]) => Promise.reject(new Error(`nats-server ended with ${code}`)));
  end.catch(() => undefined);
  const stop = async () => {
    child.kill("SIGKILL");
    await exit;
  };
  let url = "";
  try {
    const isUp = async () => {
      const file = (await readdir(place)).find((name) => name.endsWith(".ports"));
      const { nats = [] } = JSON.parse(await readFile(path.join(place, file ?? ""), "utf8"));
      url = nats[0] ?? "";
      return url !== "";
    };
    await Promise.race([eventually(isUp), end]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** The account that a user gets into, or why it gets into none. */
async function logIn(servers: string, { user, password }: Login): Promise<string> {
  try {
    const connection = await connect({ servers, user, pass: password, reconnect: false });
    const answer = await connection.request("$SYS.REQ.USER.INFO");
    await connection.close();
    return answer.json<{ data: { account: string } }>().data.account;
  } catch (error) {
    return (error as Error).message;
  }
}

test(
  `whoever has one of ${LOGINS} passwords gets into the account that it is of (SETTINGS_SEED=${SEED})`,
  async () => {
    const cases = drawCases(LOGINS * 8).filter((texts) => {
      const accepted = accept(texts);
      return !(accepted instanceof PlanError) && accepted.plan.tls === "none";
    });
    await expectNone(cases.slice(0, LOGINS), async (texts, index) => {
      const accepted = accept(texts);
      if (accepted instanceof PlanError) return [];
      const { plan, system, application } = accepted;
      const accounts = await accountsOf(accepted, hashOf);
      const [node] = nodesOf(plan);
      if (!node) return ["no nodes"];
      const place = path.join(folder, `login-${index}`);
      const { url, stop } = await startServer(place, node.confText, accounts);
      try {
        const found = [await logIn(url, system), await logIn(url, application)];
        const meant = [system.account, application.account];
        return found.join() === meant.join() ? [] : [`into ${found.join()}, not ${meant.join()}`];
      } finally {
        await stop();
      }
    });
  },
  60_000 + LOGINS * 2_000,
);
