import { writeFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countOf } from "../../lib/base/wording.ts";
import type { KeyedCertificate } from "../../providers/certificates/issue-certificates.ts";
import {
  makeAuthority,
  makeClientCertificate,
  makeServerCertificate,
} from "../support/certificates.ts";
import { at, STREAMS, starts } from "../support/change.ts";
import { eventually } from "../support/eventually.ts";
import { HeardCli } from "../support/heard-cli.ts";
import { appearsIn } from "../support/secrets.ts";
import { TestStack } from "../support/stack.ts";

const NODES = ["rg1-az1", "rg1-az2", "rg1-az3"];
const HOST = "nats.example.com";
const SUBJECT = "CN=worker,O=Acme";
const BASE = { regions: ["rg1"], advertise: HOST, streams: { ORDERS: at(STREAMS.ORDERS, "rg:1") } };
describe("a stack whose clients have certificates", () => {
  let stack: TestStack;
  let company: KeyedCertificate;
  let clients: KeyedCertificate;
  let worker: KeyedCertificate;
  let shown: object;
  let asked: object;
  let mapped: object;
  const keys: string[] = [];
  const cli = new HeardCli(() => stack);
  const write = (name: string, text: string) => {
    writeFileSync(path.join(stack.folder, name), text);
    if (text.includes("PRIVATE KEY")) keys.push(text);
  };
  const show = async (names: string, by: KeyedCertificate) => {
    const { certificate, key } = await makeServerCertificate(names, by);
    write("shown.pem", certificate);
    write("shown.key", key);
    write("company.pem", by.certificate);
  };
  const dial = async (
    ca: KeyedCertificate,
    {
      node = "rg1-az1",
      pair,
      ...login
    }: { node?: string; pair?: KeyedCertificate; pass?: string } = {},
  ): Promise<NatsConnection> => {
    const { port } = new URL((await stack.outputs()).clientUrls[node] ?? "");
    return await connect({
      servers: `127.0.0.1:${port}`,
      ...(login.pass === undefined ? {} : { user: "user", ...login }),
      tls: {
        ca: ca.certificate,
        servername: HOST,
        ...(pair ? { cert: pair.certificate, key: pair.key } : {}),
      } as object,
      reconnect: false,
      ignoreClusterUpdates: true,
      timeout: 5_000,
    });
  };
  const PASS = "app-Zebra-4711";
  const settled = async () => {
    const text = await cli.expectPulumi("preview", "--expect-no-changes", "--refresh");
    expect(text).not.toMatch(/reload, no|restart,|refuse clients/);
    // On a busy machine the nodes may take longer to answer than the command waits.
    await eventually(async () => {
      const { exitCode, stdout, stderr } = await stack.script("status");
      cli.said.push(stdout, stderr);
      return exitCode === 0;
    }, 60_000);
  };

  beforeAll(async () => {
    [company, clients] = [await makeAuthority(), await makeAuthority()];
    worker = await makeClientCertificate({ subject: SUBJECT }, clients);
    stack = await TestStack.create(BASE);
    const file = (name: string) => path.join(stack.folder, name);
    const ca = file("company.pem");
    const clientTls = { cert: file("shown.pem"), key: file("shown.key"), ca };
    shown = { ...BASE, clientTls };
    asked = { ...shown, clientCertificates: { ca: file("clients.pem") } };
    const users = { worker: { certificate: SUBJECT } };
    mapped = {
      ...shown,
      clientCertificates: { ca: file("clients.pem"), map: true },
      accounts: { APP: { users } },
    };
    stack.configure(shown);
    write("clients.pem", clients.certificate);
  });
  afterAll(() => stack.remove());

  test("is refused with a certificate that clients would refuse, and nothing is made", async () => {
    await show("elsewhere.example.com", company);
    const other = await cli.pulumi("up", "--yes", "--skip-preview");
    expect(other.exitCode).not.toBe(0);
    expect(other.text).toMatch(
      /advertise: clients are told to reach rg1-az1 at nats\.example\.com, and clientTls\.cert of it is for DNS:elsewhere/,
    );
    await show(HOST, company);
    write("shown.key", (await makeServerCertificate(HOST, company)).key);
    expect((await cli.pulumi("preview")).text).toMatch(
      /clientTls\.key: that of rg1-az1 is another's key/,
    );
    await show(HOST, company);
    write("company.pem", clients.certificate);
    expect((await cli.pulumi("preview")).text).toMatch(
      /is signed by no authority that clientTls\.ca has/,
    );
    const { stdout } = await execa("docker", [
      "ps",
      "-aq",
      `--filter=name=${stack.containerOf("rg1")}`,
    ]);
    expect(stdout).toBe("");
  });

  test("shows clients their certificate, and goes on by its own", async () => {
    await show(HOST, company);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    await settled();
    const { clientUrls } = await stack.outputs();
    expect(clientUrls["rg1-az1"]).toMatch(/^tls:\/\/nats\.example\.com:\d+$/);
    const client = await dial(company, { pass: PASS });
    expect(client.info?.connect_urls?.every((url) => url.startsWith(HOST))).toBe(true);
    await client.close();
  });

  test("takes up a renewed one of another authority by a reload, and drops nobody", async () => {
    const before = await starts(stack);
    const held = await Promise.all(NODES.map((node) => dial(company, { node, pass: PASS })));
    const closed = held.map((client) => watch(client));
    company = await makeAuthority();
    await show(HOST, company);
    expect(await cli.expectPulumi("preview")).toContain(
      `reload, no restart: ${NODES.join(", ")}: clientTls.cert has another certificate`,
    );
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    for (const client of held) await client.flush();
    expect(closed.map((isClosed) => isClosed())).toEqual([false, false, false]);
    for (const client of held) await client.close();
    for (const node of NODES) await (await dial(company, { node, pass: PASS })).close();
    expect(await starts(stack)).toEqual(before);
    await settled();
  });

  test("asks clients for certificates by a reload, and says whom that may cut off", async () => {
    const before = await starts(stack);
    const held = await dial(company, { pass: PASS });
    stack.configure(asked);
    expect(await cli.expectPulumi("preview")).toMatch(
      new RegExp(
        `refuse clients that show no certificate.*${countOf(1, "client")} has a connection`,
        "s",
      ),
    );
    const text = await cli.expectPulumi("up", "--yes", "--skip-preview");
    expect(text).toContain(
      `reload, no restart: ${NODES.join(", ")}: clientCertificates clients have to show one`,
    );
    await held.flush();
    await held.close();
    await expect(dial(company, { pass: PASS })).rejects.toThrow();
    await (await dial(company, { pass: PASS, pair: worker })).close();
    expect(await starts(stack)).toEqual(before);
    await settled();
  });

  test("changes streams as before", async () => {
    const ORDERS = { ...at(STREAMS.ORDERS, "rg:1"), description: "asked for" };
    stack.configure({ ...asked, streams: { ORDERS } });
    await cli.expectPulumi("up", "--yes");
    await settled();
    stack.configure(asked);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
  });

  test("asks nodes on while another systemPassword changes the login, node by node", async () => {
    const before = await starts(stack);
    await cli.expectPulumi("config", "set", "--secret", "systemPassword", "sys-Gnu-2208");
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    expect(await starts(stack)).toEqual(before);
    await settled();
  });

  test("has users by certificate after restarts", async () => {
    stack.configure(mapped);
    const text = await cli.expectPulumi("up", "--yes");
    expect(text).toMatch(/restart.*: clientCertificates\.map none → clients/);
    await settled();
    const client = await dial(company, { pair: worker });
    const info = (await client.request("$SYS.REQ.USER.INFO")).json<{ data: object }>();
    expect(info.data).toMatchObject({ user: SUBJECT, account: "APP" });
    await client.close();
    await expect(dial(company, { pair: worker, pass: PASS })).rejects.toThrow();
  });

  test("takes nodes out, although the system user can't log in by its password", async () => {
    const grown = { availabilityZones: ["az1", "az2", "az3", "az4"] };
    stack.configure({ ...mapped, ...grown });
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    stack.configure(mapped);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    await settled();
  });

  test("gives no key away", async () => {
    const secrets = ["BEGIN PRIVATE KEY", ...keys.flatMap((key) => key.split("\n").slice(1, 3))];
    const { stdout: inspected } = await execa("docker", [
      "inspect",
      ...NODES.map((node) => stack.containerOf(node)),
    ]);
    const logs = await Promise.all(
      NODES.map(
        async (node) =>
          (await execa("docker", ["logs", stack.containerOf(node)], { all: true })).all,
      ),
    );
    const { text: exported } = await stack.pulumi("stack", "export");
    const state = stack.stateTexts();
    expect(state.length).toBeGreaterThan(0);
    for (const text of [...cli.said, inspected, exported, ...logs, ...state]) {
      expect(secrets.filter((secret) => appearsIn(text, secret))).toEqual([]);
    }
  });

  test("goes back to what it was, and keeps no key of clients", async () => {
    stack.configure(shown);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    await (await dial(company, { pass: PASS })).close();
    stack.configure({ ...BASE, tls: "stack" });
    expect(await cli.expectPulumi("up", "--yes")).toContain("clientTls → none");
    await settled();
    const copy = `docker cp ${stack.containerOf("rg1-az1")}:/etc/nats/client-key.pem - | tar -xO`;
    expect((await execa("sh", ["-c", copy])).stdout).toBe("");
  });
});

function watch(client: NatsConnection): () => boolean {
  let isOver = false;
  void client.closed().then(() => {
    isOver = true;
  });
  return () => isOver;
}
