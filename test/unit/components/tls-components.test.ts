import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createNodes } from "../../../components/cluster-nodes.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { serversOf } from "../../../components/parts/jetstream-provider.ts";
import { readTlsFiles, type TlsTexts } from "../../../components/preflight/read-tls-files.ts";
import { nodesOf } from "../../../lib/plan/plan.ts";
import { BareCluster, newNodesArgs } from "../../support/bare-cluster.ts";
import { makeAuthority, makeCertificate, writeCertificates } from "../../support/certificates.ts";
import { planOf } from "../../support/cluster-report.ts";
import { type Recorded, recordResources } from "../../support/mocks.ts";
import { appearsIn } from "../../support/secrets.ts";

const SHAPE = { regions: ["rg1"], bindAddress: "10.0.0.5", certificateNames: ["nats.example.com"] };
const NODES = ["rg1-az1", "rg1-az2", "rg1-az3"];
const KEY = "-----BEGIN PRIVATE KEY-----\nzebra-zebra-zebra\n-----END PRIVATE KEY-----\n";
const FILES = { ca: "ca.pem", cert: "{node}.pem", key: "{node}.key" };

/** Two clusters, one with an authority of its own and one with the user's certificates. */
describe("a cluster with TLS", () => {
  let resources: readonly Recorded[];
  const named = (name: string): Recorded => {
    const found = resources.find((resource) => resource.name === name);
    if (!found) throw new Error(`no resource ${name}`);
    return found;
  };
  const create = (name: string, settings: object, tlsTexts?: TlsTexts) => {
    const plan = planOf({ ...SHAPE, ...settings });
    return createNodes(
      name,
      { ...newNodesArgs(plan, { sys: "hash", user: "hash" }), ...(tlsTexts ? { tlsTexts } : {}) },
      new BareCluster(name, "key"),
    );
  };

  beforeAll(async () => {
    const recorder = await recordResources();
    create("own", {});
    create(
      "files",
      { tlsFiles: FILES },
      {
        ca: "authority",
        nodes: NODES.map((node) => ({ node, certificate: `certificate of ${node}`, key: KEY })),
      },
    );
    resources = await recorder.settled(70);
  });

  test("makes an authority, and a certificate for each node that names it and no other", () => {
    const types = resources.map(({ type }) => type).filter((type) => type.includes("dynamic/tls"));
    expect(types.toSorted()).toEqual([
      "pulumi-nodejs:dynamic/tls:Authority",
      ...Array(3).fill("pulumi-nodejs:dynamic/tls:Certificate"),
    ]);
    expect(named("own-authority").inputs).toMatchObject({ name: "nats-regions-dev" });
    expect(named("own-rg1-az2-certificate").inputs).toMatchObject({
      node: "rg1-az2",
      names: [
        "rg1-az2",
        "nats-regions-dev-rg1-az2",
        "localhost",
        "127.0.0.1",
        "10.0.0.5",
        "nats.example.com",
      ],
      lifetime: "365d",
      authority: { name: "nats-regions-dev" },
    });
  });

  test("publishes pages on loopback, though clients come from elsewhere", () => {
    expect(named("own-rg1-az2-container").inputs.ports).toEqual([
      { internal: 4222, external: 4223, ip: "10.0.0.5", protocol: "tcp" },
      { internal: 8222, external: 8223, ip: "127.0.0.1", protocol: "tcp" },
    ]);
  });

  test("writes each node's own files, and its key as a secret only", () => {
    const { inputs, plainInputs } = named("files-rg1-az2-configured");
    const archive = Buffer.from(`${inputs.stdin}`, "base64").toString();
    expect(archive).toContain(KEY);
    expect(archive).toContain("certificate of rg1-az2");
    expect(archive).not.toContain("certificate of rg1-az1");
    expect(JSON.stringify(plainInputs)).toContain('"stdin":"[secret]"');
    const exposed = resources.filter(({ plainInputs: plain }) =>
      appearsIn(JSON.stringify(plain), "zebra-zebra-zebra"),
    );
    expect(exposed.map(({ name }) => name)).toEqual([]);
  });

  test("has its scripts trust the authority", () => {
    for (const name of ["accounts", "interest", "start", "drain", "wave-1", "wave-2", "wave-3"]) {
      expect(named(`files-${name}`).inputs.environment).toMatchObject({ CA: "authority" });
    }
    const { SO_FAR } = named("files-wave-1").inputs.environment as Record<string, string>;
    expect(SO_FAR).toBe('["rg1-az1"]');
  });

  test.each([
    ["in the clear where nodes are", "none", "authority", undefined],
    ["by its authority", "stack", "authority", { ca: "authority", names: NODES }],
    [
      "never in the clear, though its authority isn't made yet",
      "stack",
      undefined,
      { ca: "", names: NODES },
    ],
  ])("is reached %s", async (_, tls, ca, trust) => {
    const servers = serversOf(planOf({ ...SHAPE, tls }), { caCertificate: ca, ownPair: undefined });
    expect((await promiseOf(servers)).tls).toEqual(trust);
  });

  test("is reached where its nodes run, should they be elsewhere than planned", async () => {
    const plan = planOf({ ...SHAPE, tls: "stack" });
    const [first, ...others] = nodesOf(plan);
    if (!first) throw new Error("no node is planned");
    const trust = { caCertificate: "authority", ownPair: undefined };
    const running = new Map([
      [first.containerName, { createdAt: new Date(), clientAddress: "10.0.0.5:5222" }],
    ]);
    const { urls } = await promiseOf(serversOf(plan, trust, running));
    expect(urls).toEqual(["tls://10.0.0.5:5222", ...others.map(({ clientUrl }) => clientUrl)]);
  });
});

test("another authority is taken at once where all nodes change at once, and none leaves", async () => {
  const [old, next] = [await makeAuthority(), await makeAuthority()];
  const { certificate } = await makeCertificate("rg1-az1", old);
  const folder = mkdtempSync(path.join(tmpdir(), "tls-files-"));
  try {
    const tlsFiles = await writeCertificates(folder, NODES, next);
    const plan = planOf({ ...SHAPE, tlsFiles, rollout: "all" });
    const engine = { tls: { ca: old.certificate, certificate }, leaving: new Map() };
    expect(readTlsFiles(plan, engine)).toMatchObject({ ca: next.certificate });
    const leaving = new Map([["rg1-az4", { createdAt: new Date() }]]);
    expect(() => readTlsFiles(plan, { ...engine, leaving })).toThrow(
      /would no longer take each other's certificates/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
