import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { afterEach, expect, test } from "vitest";
import { askStack } from "../../../../cli/inspection/observe.ts";
import { validityFrom } from "../../../../lib/tls/certificate-rules.ts";
import {
  issueCertificate,
  type KeyedCertificate,
} from "../../../../providers/certificates/issue-certificates.ts";
import { makeAuthority, makeCertificate } from "../../../support/certificates.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(listener: RequestListener, certified?: KeyedCertificate): Promise<string> {
  const server = certified
    ? createSecureServer({ cert: certified.certificate, key: certified.key }, listener)
    : createServer(listener);
  server.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port");
  return `${certified ? "https" : "http"}://127.0.0.1:${address.port}`;
}

/** Cut down from nats-server 2.15.2's answers. */
const PAGES: Readonly<Record<string, object>> = {
  "/varz": { version: "2.15.2", uptime: "2s", tags: ["rg:2", "az:1"] },
  "/healthz": { status: "unavailable", error: "JetStream stream 'APP > ORDERS' is not current" },
  "/jsz": {
    meta_cluster: {
      leader: "rg2-az1",
      cluster_size: 3,
      replicas: [
        { name: "rg2-az2", peer: "peer-2", current: true, active: 1 },
        { name: "rg2-az3", peer: "peer-3", current: false, offline: true, active: 0 },
      ],
    },
    account_details: [
      {
        name: "APP",
        stream_detail: [
          {
            name: "ORDERS",
            cluster: {
              leader: "rg2-az1",
              replicas: [
                { name: "rg2-az2", peer: "peer-2", current: true, active: 1 },
                {
                  name: "rg2-az3",
                  peer: "peer-3",
                  current: false,
                  offline: true,
                  active: 0,
                  lag: 7,
                },
              ],
            },
            config: {
              name: "ORDERS",
              num_replicas: 3,
              placement: { tags: ["rg:2"] },
              storage: "file",
            },
            state: { messages: 12, bytes: 345 },
          },
        ],
      },
      { name: "EMPTY" },
    ],
  },
};

test("reads what a node says of itself, the meta group and its streams", async () => {
  const url = await serve((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://node");
    response.statusCode = pathname === "/healthz" ? 503 : 200;
    response.end(JSON.stringify(PAGES[pathname]));
  });
  expect(await askStack([{ name: "rg2-az1", url }])).toMatchObject([
    {
      name: "rg2-az1",
      answer: {
        version: "2.15.2",
        uptime: "2s",
        tags: ["rg:2", "az:1"],
        health: "JetStream stream 'APP > ORDERS' is not current",
        metaLeader: "rg2-az1",
        metaSize: 3,
        peers: [
          { id: "peer-2", name: "rg2-az2", well: true },
          { id: "peer-3", name: "rg2-az3", well: false },
        ],
        streams: [
          {
            account: "APP",
            name: "ORDERS",
            tags: ["rg:2"],
            replicaCount: 3,
            leader: "rg2-az1",
            followers: [
              { name: "rg2-az2", current: true, offline: false, pending: false, lag: 0 },
              { name: "rg2-az3", current: false, offline: true, pending: false, lag: 7 },
            ],
            messages: 12,
            bytes: 345,
          },
        ],
      },
    },
  ]);
});

test("waits two seconds at most, and takes no stranger for a node", async () => {
  const mute = await serve(() => {});
  const stranger = await serve((_, response) => response.end("<html>"));
  const began = performance.now();
  const found = await askStack([
    { name: "mute", url: mute },
    { name: "stranger", url: stranger },
    { name: "closed", url: "http://127.0.0.1:9" },
  ]);
  expect(found).toEqual([{ name: "mute" }, { name: "stranger" }, { name: "closed" }]);
  expect(performance.now() - began).toBeLessThan(3_000);
});

test("tells a node whose certificate has expired from one that isn't trusted", async () => {
  const [authority, stranger] = [await makeAuthority(), await makeAuthority()];
  const validity = validityFrom(Date.now() - 3 * 60_000, 60_000);
  const issuer = { name: "an authority elsewhere", key: authority.key };
  const over = await issueCertificate("expired", ["expired"], validity, issuer);
  const answer: RequestListener = (_, response) => response.end("{}");
  const ca = authority.certificate;
  const found = await askStack([
    { name: "expired", url: await serve(answer, over), ca },
    { name: "strange", url: await serve(answer, await makeCertificate("strange", stranger)), ca },
  ]);
  expect(found).toEqual([{ name: "expired", hasExpired: true }, { name: "strange" }]);
});
