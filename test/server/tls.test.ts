import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect as connectTls } from "node:tls";
import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CONFIG_DIR,
  DATA_DIR,
  renderAccountsConf,
  renderNodeConf,
} from "../../lib/nodes/nats-conf.ts";
import { JETSTREAM, ROUTES } from "../../lib/observed/questions.ts";
import { clientTls } from "../../live/jetstream/client-tls.ts";
import {
  ClusterUnreachable,
  closeConnections,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { askNode } from "../../live/monitoring/ask-node.ts";
import { type PageMonitor, readPageAsShown } from "../../live/monitoring/monitoring-page.ts";
import type { KeyedCertificate } from "../../providers/certificates/issue-certificates.ts";
import { simpleAccounts } from "../support/accounts.ts";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/own-ports.ts";
import { startProcess } from "../support/server-process.ts";

const NODES = ["n1", "n2"] as const;
const CREDENTIALS = { user: "user", password: "user" };
const ACCOUNTS = simpleAccounts({ sys: "sys", user: "user" });

interface Node {
  readonly name: string;
  readonly folder: string;
  readonly ports: { readonly client: number; readonly route: number; readonly monitor: number };
}

/** What the rendered config makes of nats-server, between nodes and towards everybody else. */
describe("nodes with TLS", () => {
  let folder: string;
  let authority: KeyedCertificate;
  let stranger: KeyedCertificate;
  let nodes: readonly Node[];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
    [authority, stranger] = [await makeAuthority(), await makeAuthority()];
    const ports = await freePorts(9);
    nodes = [...NODES, "outsider"].map((name, index) => {
      const [client = 0, route = 0, monitor = 0] = ports.slice(index * 3, index * 3 + 3);
      return { name, folder: path.join(folder, name), ports: { client, route, monitor } };
    });
    for (const node of nodes) await mkdir(node.folder);
    const [n1, n2] = nodes as [Node, Node];
    for (const node of [n1, n2]) {
      await certify(node, authority);
      await start(node);
    }
    await eventually(async () => {
      const page = await askNode(monitorOf(n2), JETSTREAM);
      return (page as { meta_cluster: { leader?: string } }).meta_cluster.leader !== undefined;
    }, 40_000);
  });

  afterAll(async () => {
    await closeConnections();
    for (const child of children) {
      if (child.exitCode !== null) continue;
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    }
    await rm(folder, { recursive: true });
  });

  test("take no client in the clear, and no stranger's word", async () => {
    const [{ ports }] = nodes as [Node];
    const socket = connectPlain(ports.client, "127.0.0.1").setEncoding("utf8");
    socket.write('CONNECT {"user":"user","pass":"user"}\r\nPING\r\n');
    const answer = (await socket.toArray()).join("");
    expect(answer).toContain('"tls_required":true');
    expect(answer).not.toMatch(/PONG|\+OK/);
    await expect(dial({ ca: stranger.certificate, names: NODES })).rejects.toThrow(/certificate/);
    await expect(dial({ ca: authority.certificate, names: ["n9"] })).rejects.toThrow(
      /not for a node/,
    );
  });

  test("are reached by whoever knows their authority and their names", async () => {
    const client = await dial({ ca: authority.certificate, names: NODES });
    await client.close();
    const urls = clientUrls();
    const tls = { ca: authority.certificate, names: NODES };
    const port = openJetStream({ urls, ...CREDENTIALS, tls }, "APP");
    await port.create({ name: "ORDERS", subjects: ["orders"] });
    expect(await port.names()).toEqual(["ORDERS"]);
    const deceived = openJetStream({ urls, ...CREDENTIALS, tls: { ...tls, names: ["n9"] } }, "APP");
    await expect(deceived.names()).rejects.toThrow(ClusterUnreachable);
  });

  test("show their pages by https only", async () => {
    for (const node of nodes.slice(0, 2)) {
      const read = async (asked: PageMonitor) =>
        (await readPageAsShown(asked, "healthz", 2_000)).text;
      expect(await read(monitorOf(node))).toContain("ok");
      const plain = { name: node.name, url: `http://127.0.0.1:${node.ports.monitor}` };
      expect(await read(plain)).toMatch(/HTTP request to an HTTPS server/);
    }
  });

  test("take no route from what has no certificate, or another authority's", async () => {
    const [{ ports }] = nodes as [Node];
    const outsider = nodes[2] as Node;
    const strange = await makeCertificate("outsider", stranger);
    const own = await makeCertificate("outsider", authority);
    expect(await greet(ports.route, own)).toBe("greeted");
    expect(await greet(ports.route, strange)).toBe("refused");
    expect(await greet(ports.route)).toBe("refused");

    await certify(outsider, stranger, authority);
    await start(outsider);
    const log = path.join((nodes[1] as Node).folder, "log");
    await eventually(async () =>
      /TLS route handshake error.*unknown authority/.test(await readFile(log, "utf8")),
    );
    for (const node of nodes.slice(0, 2)) {
      const page = await askNode(monitorOf(node), ROUTES);
      const { routes } = page as { routes: { remote_name: string }[] };
      expect(routes.map(({ remote_name }) => remote_name)).not.toContain("outsider");
      expect(routes.length).toBeGreaterThan(0);
    }
  });

  test("take up another certificate by a reload, and keep their connections", async () => {
    const client = await dial({ ca: authority.certificate, names: NODES });
    let statuses = 0;
    void (async () => {
      for await (const _ of client.status()) statuses += 1;
    })();
    const [first] = children;
    const [node] = nodes as [Node];
    const before = await serialOf(node);
    await certify(node, authority);
    first?.kill("SIGHUP");
    await eventually(async () => (await serialOf(node)) !== before);
    await client.flush();
    expect(statuses).toBe(0);
    const page = await askNode(monitorOf(node), ROUTES);
    expect((page as { routes: object[] }).routes.length).toBeGreaterThan(0);
    await client.close();
  });

  const clientUrls = () => nodes.slice(0, 2).map(({ ports }) => `tls://127.0.0.1:${ports.client}`);

  const monitorOf = ({ name, ports }: Node) => ({
    name,
    url: `https://127.0.0.1:${ports.monitor}`,
    ca: authority.certificate,
  });

  const dial = (trust: { ca: string; names: readonly string[] }) =>
    connect({
      servers: clientUrls().slice(0, 1),
      user: "user",
      pass: "user",
      tls: clientTls(trust),
      reconnect: false,
      timeout: 5_000,
    });

  async function certify(node: Node, by: KeyedCertificate, trusted = by): Promise<void> {
    const names = [node.name, "localhost", "127.0.0.1"];
    const { certificate, key } = await makeCertificate(node.name, by, names);
    const write = (name: string, text: string) => writeFile(path.join(node.folder, name), text);
    await write("ca.pem", trusted.certificate);
    await write("certificate.pem", certificate);
    await write("key.pem", key);
  }

  /** The config of a node as it is rendered, but for the ports, folders and names that a container has to itself. */
  async function start(node: Node): Promise<void> {
    const rendered = renderNodeConf({
      serverName: node.name,
      serverTags: [],
      cluster: "c1",
      routes: NODES.map((name) => `${name}:6222`),
      uniqueTag: "",
      maxFileStore: 1024 ** 3,
      maxMemoryStore: 0,
      syncInterval: "always",
      tls: "stack",
      hasPages: true,
    });
    const { client, route, monitor } = node.ports;
    const routePort = (name: string) => nodes.find((each) => each.name === name)?.ports.route;
    const conf = rendered
      .replaceAll(CONFIG_DIR, node.folder)
      .replace(`"${DATA_DIR}"`, JSON.stringify(path.join(node.folder, "data")))
      .replace(/(n1|n2|outsider):6222/g, (_, name: string) => `localhost:${routePort(name)}`)
      .replace('"port": 4222', `"host": "127.0.0.1"\n"port": ${client}`)
      .replace('"port": 6222', `"host": "127.0.0.1"\n"port": ${route}`)
      .replace('"https_port": 8222', `"https": "127.0.0.1:${monitor}"`);
    const file = path.join(node.folder, "nats.conf");
    await writeFile(file, conf);
    await writeFile(path.join(node.folder, "accounts.conf"), renderAccountsConf(ACCOUNTS));
    const log = ["-l", path.join(node.folder, "log")];
    children.push(startProcess(["-c", file, ...log]));
  }

  /** What a route's port makes of somebody with a certificate, or none. */
  async function greet(port: number, own?: KeyedCertificate): Promise<"greeted" | "refused"> {
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: authority.certificate,
      ...(own ? { cert: own.certificate, key: own.key } : {}),
    });
    socket.setEncoding("utf8");
    // With TLS 1.3 the other end refuses a certificate after the handshake.
    const said: string[] = [];
    try {
      for await (const chunk of socket.setTimeout(1_000, () => socket.end())) {
        said.push(chunk as string);
        if (/^INFO/.test(said.join(""))) return "greeted";
      }
    } catch {
      return "refused";
    } finally {
      socket.destroy();
    }
    return "refused";
  }

  async function serialOf({ name, ports }: Node): Promise<string> {
    const options = { host: "127.0.0.1", port: ports.monitor, servername: name };
    const socket = connectTls({ ...options, ca: authority.certificate });
    await once(socket, "secureConnect");
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  }
});
