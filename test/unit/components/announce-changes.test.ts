import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { announceChanges } from "../../../components/preflight/announce-changes.ts";
import { configDigest } from "../../../lib/nodes/nats-conf.ts";
import { NOTHING_OBSERVED } from "../../../lib/observed/observed.ts";
import { type NodePlan, nodesOf } from "../../../lib/plan/plan.ts";
import { validityFrom } from "../../../lib/tls/certificate-rules.ts";
import {
  issueCertificate,
  type KeyedCertificate,
} from "../../../providers/certificates/issue-certificates.ts";
import { simpleAccounts } from "../../support/accounts.ts";
import { makeAuthority, makeCertificate } from "../../support/certificates.ts";
import { planOf } from "../../support/cluster-report.ts";
import { recordResources } from "../../support/mocks.ts";

const ACCOUNTS = simpleAccounts({ sys: "hash", user: "hash" });
const FILES = { ca: "ca.pem", cert: "{node}.pem", key: "{node}.key" };
const LOADED = "2026-11-26T08:00:00Z";

/** One node of a cluster, with a server that shows its certificate as it was planned before. */
describe("a node with TLS", () => {
  let authority: KeyedCertificate;
  let shown: KeyedCertificate;
  let running: NodePlan;
  let stored: number;
  const created = new Date(LOADED);
  let started = created;
  const server = createServer((_, response) =>
    response.end(
      JSON.stringify({
        version: "2.15.2",
        start: started.toISOString(),
        tags: running.serverTags,
        cluster: { urls: running.conf.routes },
        config_digest: configDigest(running.conf, ACCOUNTS),
        config_load_time: LOADED,
        jetstream: { config: { max_storage: stored, max_memory: running.conf.maxMemoryStore } },
      }),
    ),
  );
  const said = vi.spyOn(pulumi.log, "info").mockResolvedValue();

  beforeAll(async () => {
    await recordResources();
    authority = await makeAuthority();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(() => said.mockClear());
  afterAll(() => {
    server.close();
    said.mockRestore();
  });

  const firstOf = (settings: object) => nodesOf(planOf(settings))[0] as NodePlan;

  const run = (node: NodePlan, certificate: KeyedCertificate) => {
    [running, shown, stored] = [node, certificate, node.conf.maxFileStore];
    server.setSecureContext({ cert: certificate.certificate, key: certificate.key });
  };

  /** What is said of the node, and since when it has drifted. */
  const announce = async (
    settings: object,
    files?: Partial<KeyedCertificate> & { ca?: string },
    accounts = pulumi.output(ACCOUNTS),
  ) => {
    const plan = planOf(settings);
    const { port } = server.address() as AddressInfo;
    const monitoringUrl = `https://127.0.0.1:${port}`;
    const container = {
      settings: running.restartSettings,
      createdAt: created,
      monitoringUrl,
      clientAddress: "127.0.0.1:9",
    };
    const others = nodesOf(plan).slice(1);
    const engine = {
      containers: new Map([[running.containerName, container]]),
      leaving: new Map(),
      containerless: new Set(others.map(({ name }) => name)),
      silent: new Set<string>(),
      hasNetwork: true,
      tls: { ca: authority.certificate, certificate: shown.certificate },
    };
    const { ca = authority.certificate, ...changed } = files ?? {};
    const texts = files && { ca, nodes: [{ node: running.name, ...shown, ...changed }] };
    const { driftTimes, mayHaveStopped } = await announceChanges(
      plan,
      accounts,
      engine,
      { tlsTexts: texts, clientTexts: {} },
      async () => NOTHING_OBSERVED,
    );
    return {
      lines: said.mock.calls.map(([line]) => line),
      driftTimes: [...driftTimes],
      mayHaveStopped: [...mayHaveStopped],
    };
  };

  test("isn't reached at an address of its machine that its certificate lacks", async () => {
    const engines = Object.fromEntries(
      ["rg1", "rg2", "rg3"].map((key, index) => [key, { host: `ssh://10.0.0.${index + 1}` }]),
    );
    const before = firstOf({ engines, certificateLifetime: "90d" });
    run(before, await makeCertificate("rg1-az1", authority, before.certificateNames));
    expect((await announce({ engines, certificateLifetime: "90d" })).lines).toEqual([]);
    const moved = { ...engines, rg1: { host: "ssh://10.0.0.1", address: "10.0.9.1" } };
    await expect(announce({ engines: moved, certificateLifetime: "90d" })).rejects.toThrow(
      /^engines: rg1-az1 have certificates without 10\.0\.9\.1, .*\nFirst .* certificateNames: \["10\.0\.9\.1"\]/,
    );
    run(
      before,
      await makeCertificate("rg1-az1", authority, [...before.certificateNames, "10.0.9.1"]),
    );
    // What clients are told of is settled when a server starts.
    expect((await announce({ engines: moved, certificateLifetime: "90d" })).lines.join()).toContain(
      "restart: rg1-az1: advertise 10.0.0.1 → 10.0.9.1; ",
    );
  });

  test("goes by the store that its server shows, beside its label", async () => {
    const settings = { tlsFiles: FILES };
    run(firstOf(settings), await makeCertificate("rg1-az1", authority));
    stored *= 2;
    expect((await announce(settings, {})).lines).toEqual([
      "restart: rg1-az1: maxFileStore 2GiB → 1GiB",
    ]);
    said.mockClear();
    expect((await announce({ ...settings, maxFileStore: "3GiB" }, {})).lines).toEqual([
      "reload, no restart: rg1-az1: maxFileStore 2GiB → 3GiB",
    ]);
  });

  const NOTHING = { lines: [], driftTimes: [], mayHaveStopped: [] };

  test("is told of passwords that are yet to be made what they would do", async () => {
    const settings = { tls: "stack" };
    run(firstOf(settings), await makeCertificate("rg1-az1", authority));
    const unknown = pulumi.output(pulumi.unknown).apply(() => ACCOUNTS);
    expect((await announce(settings, undefined, unknown)).lines).toContain(
      "reload, no restart: of nodes whose users get other passwords, which this preview can't know yet",
    );
  });

  const STRAYED = [["rg1-az1", LOADED]];

  test("of the stack's own is told of names and lifetimes that change, and of nothing else", async () => {
    const settings = { tls: "stack", certificateNames: ["a.example.com", "2001:db8::1"] };
    const node = firstOf(settings);
    const validity = validityFrom(Date.now(), 365 * 86_400_000);
    const issuer = { name: "an authority elsewhere", key: authority.key };
    run(node, await issueCertificate(node.name, node.certificateNames, validity, issuer));
    expect(await announce(settings)).toEqual(NOTHING);
    expect(
      await announce({
        ...settings,
        certificateNames: ["db.example.com"],
        certificateLifetime: "30d",
      }),
    ).toEqual({
      lines: [
        "reload, no restart: rg1-az1: certificate names + db.example.com, - a.example.com, 2001:db8::1; certificateLifetime 365d → 30d",
      ],
      driftTimes: STRAYED,
      mayHaveStopped: [],
    });
    said.mockClear();
    const other = await makeCertificate("rg1-az1", authority);
    expect((await announce({ tlsFiles: FILES }, other)).lines).toEqual([
      "restart: rg1-az1: tls stack → files",
    ]);
  });

  test("is told from others where it was started again, and stays", async () => {
    const settings = { tlsFiles: FILES };
    run(firstOf(settings), await makeCertificate("rg1-az1", authority));
    started = new Date(created.getTime() + 60_000);
    expect((await announce(settings, {})).mayHaveStopped).toEqual(["rg1-az1"]);
    expect((await announce({ ...settings, memory: "1GiB" }, {})).mayHaveStopped).toEqual([]);
    started = created;
    said.mockClear();
  });

  test("of the user's is told of files that have others", async () => {
    const settings = { tlsFiles: FILES };
    run(firstOf(settings), await makeCertificate("rg1-az1", authority));
    expect(await announce(settings, {})).toEqual(NOTHING);
    expect(await announce(settings, await makeCertificate("rg1-az1", authority))).toEqual({
      lines: ["reload, no restart: rg1-az1: tlsFiles.cert has another certificate"],
      driftTimes: STRAYED,
      mayHaveStopped: [],
    });
    said.mockClear();
    const { certificate: ca } = await makeAuthority();
    expect((await announce(settings, { ca: `${authority.certificate}${ca}` })).lines).toEqual([
      "reload, no restart: rg1-az1: tlsFiles.ca has other authorities",
    ]);
  });
});
