import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { LibraryProgram, type Program } from "../support/library.ts";
import { makeOperator } from "../support/operator.ts";
import { PlainServer } from "../support/plain-server.ts";
import { appearsIn } from "../support/secrets.ts";

const TOKEN = "token-Okapi-2718";

/** Clusters whose users log in with creds, and by TLS with a token and a certificate. */
function programText(jwt: object, tls: object): string {
  return `
import * as pulumi from "@pulumi/pulumi";
import { ExistingCluster } from "nats-regions";

const config = new pulumi.Config();
const creds = (name: string) => ({ creds: config.requireSecret(name) });
const jwt = new ExistingCluster("jwt", {
  login: creds("appCreds"),
  account: "APP",
  accounts: { BILLING: { login: creds("billingCreds") } },
  systemLogin: creds("sysCreds"),
  ...${JSON.stringify(jwt)},
});
const tls = new ExistingCluster("tls", {
  login: { token: config.requireSecret("token") },
  tls: { ca: config.require("ca"), certificate: config.require("certificate"), key: config.requireSecret("key") },
  ...${JSON.stringify(tls)},
});
export const jwtStreams = jwt.placements;
export const tlsStreams = tls.placements;
`;
}

const ORDERS = { subjects: ["orders.*"], consumers: { worker: {} } };

describe("logins to clusters that others run", () => {
  let jwt: PlainServer;
  let tls: PlainServer;
  let program: LibraryProgram;
  let secrets: Readonly<Record<string, string>>;
  let said = "";

  const write = (more: object = {}, url = `tls://${tls.address}`) => {
    const text = programText(
      {
        servers: [`nats://${jwt.address}`],
        streams: { ORDERS, BILLS: { subjects: ["bills.*"], account: "BILLING" } },
        ...more,
      },
      { servers: [url], streams: { ORDERS } },
    );
    program.write({ ...SHAPE, text });
  };
  const run = async (...args: string[]) => {
    const { exitCode, text } = await program.pulumi(...args);
    said += text;
    return { exitCode, text };
  };
  const expectRun = async (...args: string[]) => {
    const { exitCode, text } = await run(...args);
    expect(exitCode, text).toBe(0);
  };

  beforeAll(async () => {
    const operator = makeOperator(["SYS", "APP", "BILLING"]);
    const authority = await makeAuthority();
    const [server, client] = await Promise.all([
      makeCertificate("n1", authority, ["127.0.0.1"]),
      makeCertificate("client", authority),
    ]);
    jwt = await PlainServer.start(operator.config);
    const files = {
      "ca.pem": authority.certificate,
      "n1.pem": server.certificate,
      "n1.key": server.key,
    };
    tls = await PlainServer.start(
      `authorization { token: "${TOKEN}" }\ntls { cert_file: "{folder}/n1.pem", key_file: "{folder}/n1.key", ca_file: "{folder}/ca.pem", verify: true }\n`,
      files,
    );
    secrets = {
      appCreds: operator.creds.APP ?? "",
      billingCreds: operator.creds.BILLING ?? "",
      sysCreds: operator.creds.SYS ?? "",
      token: TOKEN,
      key: client.key,
    };
    program = await LibraryProgram.install({ ...SHAPE, text: "" });
    for (const [name, secret] of Object.entries(secrets)) {
      await program.expectPulumi("config", "set", "--secret", name, "--", secret);
    }
    await program.expectPulumi("config", "set", "ca", "--", authority.certificate);
    await program.expectPulumi("config", "set", "certificate", "--", client.certificate);
    write();
  });

  afterAll(async () => {
    await program?.remove();
    await jwt?.[Symbol.asyncDispose]();
    await tls?.[Symbol.asyncDispose]();
  });

  test("are by creds, in operator mode, to several accounts, and by certificate and token", async () => {
    await expectRun("preview");
    await expectRun("up", "--yes", "--skip-preview");
    expect(await program.outputs()).toMatchObject({
      jwtStreams: { ORDERS: { account: "APP" }, BILLS: { account: "BILLING", leader: "plain" } },
      tlsStreams: { ORDERS: { leader: "plain" } },
    });
    await expectRun("preview", "--expect-no-changes");
    await expectRun("refresh", "--yes", "--expect-no-changes");
  });

  test("are refused by the name of the setting", async () => {
    write({ account: "BILLS", accounts: {} });
    const { text } = await run("preview");
    expect(text).toMatch(/streams\.BILLS\.account: there is no account "BILLING"/);
    // Certificates are for addresses: this one has another.
    write({}, `tls://localhost:${tls.address.split(":")[1]}`);
    const other = await run("preview");
    expect(other.exitCode).not.toBe(0);
    expect(other.text).toMatch(
      /ExistingCluster tls: .*the certificate is for .*127\.0\.0\.1, and not for localhost/,
    );
  });

  test("are secrets, wherever they are", () => {
    const state = readFileSync(
      path.join(program.folder, ".pulumi/stacks", program.project, "dev.json"),
      "utf8",
    );
    const seeds = Object.values(secrets).map((text) => /SU[A-Z2-7]{56}/.exec(text)?.[0] ?? text);
    for (const secret of seeds) {
      expect(appearsIn(said, secret)).toBe(false);
      expect(appearsIn(state, secret)).toBe(false);
    }
  });

  test("are there until the streams of the last of them are gone", async () => {
    write();
    await expectRun("destroy", "--yes", "--skip-preview");
  });
});

const SHAPE = { file: "index.ts", type: "module", typescript: false } as const satisfies Omit<
  Program,
  "text"
>;
