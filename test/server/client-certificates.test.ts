import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { managerPublicKey, managerSeed, signNonce } from "../../lib/accounts/nkeys.ts";
import { STACK_SERVER_NAME } from "../../lib/tls/certificate-rules.ts";
import { clientTls } from "../../live/jetstream/client-tls.ts";
import { readShownCertificate } from "../../live/monitoring/shown-certificate.ts";
import type { KeyedCertificate } from "../../providers/certificates/issue-certificates.ts";
import {
  type ClientSubject,
  makeAuthority,
  makeCertificate,
  makeClientCertificate,
  makeServerCertificate,
} from "../support/certificates.ts";
import { publishByMqtt } from "../support/mqtt.ts";
import { TlsServer } from "../support/tls-server.ts";

const NODE = "rg1-az1";
const HOST = "nats.example.com";
const KEY = Buffer.alloc(32, 7).toString("base64");
const SHOWN = { clientTls: { cert: "cert", key: "key" }, advertise: HOST };
const ASKED = { clientCertificates: { ca: "ca" } };
const MAPPED = { clientCertificates: { ca: "ca", map: true } };

describe("nodes towards clients", () => {
  let stack: KeyedCertificate;
  let company: KeyedCertificate;
  let clients: KeyedCertificate;
  let own: KeyedCertificate;
  let shown: KeyedCertificate;
  let worker: KeyedCertificate;
  let server: TlsServer;

  beforeAll(async () => {
    [stack, company, clients] = [
      await makeAuthority(),
      await makeAuthority(),
      await makeAuthority(),
    ];
    own = await makeCertificate(NODE, stack, [NODE, "localhost", "127.0.0.1", STACK_SERVER_NAME]);
    shown = await makeServerCertificate(HOST, company);
    worker = await makeClientCertificate({ subject: "CN=worker,O=Acme" }, clients);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const files = (more: object = {}) => ({
    "ca.pem": stack.certificate,
    "certificate.pem": own.certificate,
    "key.pem": own.key,
    "client-certificate.pem": shown.certificate,
    "client-key.pem": shown.key,
    "client-ca.pem": `${clients.certificate}\n${stack.certificate}`,
    ...more,
  });
  const managers = { APP: managerPublicKey(KEY, "APP") };
  const argsOf = (settings: object, more: object = {}) => ({
    settings: { tls: "stack", ...settings },
    files: files(more),
    managers,
  });
  const start = async (settings: object) => {
    await server?.[Symbol.asyncDispose]();
    server = await TlsServer.start(argsOf(settings));
  };
  const dial = (login: object, tls: object) =>
    connect({
      servers: `127.0.0.1:${server.ports.client}`,
      ...login,
      tls,
      reconnect: false,
      timeout: 5_000,
    });
  /** As a client does that knows the company's authority and the host's name. */
  const asClient = (login: object, pair?: KeyedCertificate) =>
    dial(login, {
      ca: company.certificate,
      servername: HOST,
      ...(pair ? { cert: pair.certificate, key: pair.key } : {}),
    });
  /** As the stack itself does. */
  const asStack = (pair: KeyedCertificate | undefined = own) => {
    const seed = managerSeed(KEY, "APP");
    const nkey = managerPublicKey(KEY, "APP");
    return dial(
      { authenticator: (nonce = "") => ({ nkey, sig: signNonce(seed, nonce) }) },
      clientTls({ ca: stack.certificate, names: [NODE], pair }),
    );
  };
  const USER = { user: "user", pass: "user" };

  test("show clients their certificate, and the stack the node's own", async () => {
    await start(SHOWN);
    await (await asClient(USER)).close();
    await (await asStack()).close();
    // Nobody else's authority will do for either.
    await expect(dial(USER, { ca: stack.certificate, servername: HOST })).rejects.toThrow(
      /certificate/,
    );
    await expect(
      dial(USER, { ca: company.certificate, servername: STACK_SERVER_NAME }),
    ).rejects.toThrow(/certificate/);
    const address = `127.0.0.1:${server.ports.client}`;
    expect(await readShownCertificate(address, 3_000)).toBe(
      shown.certificate.trimEnd().concat("\n"),
    );
  });

  test("take up another certificate of another authority by a reload, and keep clients", async () => {
    const client = await asClient(USER);
    const ended = watch(client);
    const other = await makeAuthority();
    const next = await makeServerCertificate(HOST, other);
    const changed = { "client-certificate.pem": next.certificate, "client-key.pem": next.key };
    expect(await server.reload(argsOf(SHOWN, changed))).toBe("");
    await client.flush();
    expect(ended()).toBe(false);
    await client.close();
    await expect(asClient(USER)).rejects.toThrow(/certificate/);
    await (await dial(USER, { ca: other.certificate, servername: HOST })).close();
    await (await asStack()).close();
  });

  test("ask for certificates after a reload, and leave the connected ones alone", async () => {
    await start(SHOWN);
    const before = await asClient(USER);
    const ended = watch(before);
    expect(await server.reload(argsOf({ ...SHOWN, ...ASKED }))).toBe("");
    await before.flush();
    expect(ended()).toBe(false);
    await before.close();
    await expect(asClient(USER)).rejects.toThrow();
    await (await asClient(USER, worker)).close();
    await expect(asClient({ user: "user", pass: "wrong" }, worker)).rejects.toThrow(
      /Authorization/,
    );
    const stranger = await makeClientCertificate({ subject: "CN=worker,O=Acme" }, company);
    await expect(asClient(USER, stranger)).rejects.toThrow();
    await (await asStack()).close();
    await expect(asStack(worker).then((client) => client.close())).resolves.toBeUndefined();
    const { certificate, key } = worker;
    const bare = clientTls({ ca: stack.certificate, names: [NODE] });
    await expect(dial(USER, bare)).rejects.toThrow();
    await (await dial(USER, { ...bare, cert: certificate, key })).close();
  });

  test("don't reload the mapping of certificates to users", async () => {
    expect(await server.reload(argsOf({ ...SHOWN, ...MAPPED }))).toMatch(
      /not supported for TLSMap/,
    );
  });

  const USERS = {
    worker: { certificate: "CN=worker,OU=jobs,O=Acme" },
    mail: { certificate: "worker@acme.example" },
    dns: { certificate: "batch.acme.example" },
    uri: { certificate: "spiffe://acme.example/probe" },
    odd: { certificate: "CN=Smith\\, J.,O=A\\+B" },
  };
  const whoIs = async (subject: ClientSubject, login: object = {}) => {
    const pair = await makeClientCertificate(subject, clients);
    const client = await asClient(login, pair);
    const { data } = (await client.request("$SYS.REQ.USER.INFO")).json<{
      data: { user: string };
    }>();
    await client.close();
    return data.user;
  };
  const dns = (value: string) => ({ type: "dns" as const, value });

  test("map certificates to users, and to no others", async () => {
    await start({ ...SHOWN, ...MAPPED, accounts: { APP: { users: USERS } } });
    const subject = "CN=worker,OU=jobs,O=Acme";
    expect(await whoIs({ subject })).toBe(USERS.worker.certificate);
    // In another order, as many tools write subjects.
    expect(await whoIs({ subject: "O=Acme,OU=jobs,CN=worker" })).toBe(USERS.worker.certificate);
    expect(await whoIs({ subject: "CN=x", names: [dns("batch.acme.example")] })).toBe(
      USERS.dns.certificate,
    );
    expect(await whoIs({ subject, names: [{ type: "email", value: "worker@acme.example" }] })).toBe(
      USERS.mail.certificate,
    );
    expect(
      await whoIs({ subject: "CN=x", names: [{ type: "url", value: USERS.uri.certificate }] }),
    ).toBe(USERS.uri.certificate);
    expect(await whoIs({ subject: USERS.odd.certificate })).toBe(USERS.odd.certificate);
    for (const other of [
      "CN=Worker,OU=jobs,O=Acme",
      "CN=worker",
      "CN=worker,OU=jobs,O=Acme,C=CH",
    ]) {
      await expect(whoIs({ subject: other }), other).rejects.toThrow(/Authorization/);
    }
    await expect(whoIs({ subject: "CN=x", names: [dns("BATCH.acme.example")] })).rejects.toThrow(
      /Authorization/,
    );
  });

  test("let nobody in by the name of such a user, nor by a password alone", async () => {
    const named = { user: USERS.worker.certificate, pass: "" };
    await expect(asClient(named, worker)).rejects.toThrow(/Authorization/);
    await expect(asClient(USER, worker)).rejects.toThrow(/Authorization/);
    // A name in the certificate that is a user's with a password takes both.
    const subject = { subject: "CN=x", names: [dns("user")] };
    expect(await whoIs(subject, USER)).toBe("user");
    await expect(whoIs(subject)).rejects.toThrow(/Authorization/);
    // The stack's nkeys count more than what the certificate says.
    await (await asStack()).close();
  });

  test("keep users by certificate off listeners that don't ask for one", async () => {
    const listeners = { websocket: true, mqtt: true };
    const clientsOnly = { clientCertificates: { ca: "ca", map: true, listeners: ["clients"] } };
    await start({ ...SHOWN, ...clientsOnly, ...listeners, accounts: { APP: { users: USERS } } });
    const mqtt = { port: server.ports.mqtt, ca: company.certificate, servername: HOST };
    const byName = { user: USERS.worker.certificate, password: "" };
    await expect(publishByMqtt(mqtt, byName, "a", "b")).resolves.not.toMatchObject({ code: 0 });
    await expect(
      publishByMqtt(mqtt, { user: "user", password: "wrong" }, "a", "b"),
    ).resolves.not.toMatchObject({
      code: 0,
    });
  });

  test("ask clients of MQTT, and not those of WebSocket", async () => {
    await start({ ...SHOWN, ...ASKED, websocket: true, mqtt: true });
    const offered = (port: number) => asked(port, HOST);
    expect(await offered(server.ports.mqtt)).toBe(true);
    expect(await offered(server.ports.websocket)).toBe(false);
  });
});

/** Whether the client's connection has ended or was made again since. */
function watch(client: NatsConnection): () => boolean {
  let isOver = false;
  void client.closed().then(() => {
    isOver = true;
  });
  return () => isOver;
}

/** Whether a listener with TLS from the start refuses a client without a certificate. */
async function asked(port: number, servername: string): Promise<boolean> {
  const socket = connectPlain(port, "127.0.0.1");
  const secured = connectTls({
    socket,
    servername,
    rejectUnauthorized: false,
    maxVersion: "TLSv1.2",
  });
  try {
    await once(secured, "secureConnect", { signal: AbortSignal.timeout(5_000) });
    return false;
  } catch {
    return true;
  } finally {
    secured.destroy();
  }
}
