import { describe, expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { accountsBeside, renderAccountsConf } from "../../../lib/nodes/nats-conf.ts";
import { nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const IDENTITY = { project: "nats-regions", stack: "dev" };
const MAP = { clientCertificates: { ca: "clients.pem", map: true } };
const planOf = (settings: object) =>
  planCluster(
    parseSettings({ password: "(given)", systemPassword: "(given)", ...settings }, IDENTITY),
  );
const refusal = (settings: object): readonly string[] => {
  try {
    planOf(settings);
    return [];
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return error.problems.map(({ path, message }) => `${path} | ${message}`);
  }
};
const users = (named: Readonly<Record<string, string>>) => ({
  accounts: {
    APP: {
      users: Object.fromEntries(
        Object.entries(named).map(([name, certificate]) => [name, { certificate }]),
      ),
    },
  },
});

describe("users by certificate", () => {
  test.each([
    [{ a: "CN=a,O=x", b: "CN=b,O=x", c: "c.example" }, []],
    [{ a: "CN=a", b: "CN=a" }, ['accounts.APP.users.b.certificate | "CN=a" is a of APP too']],
    [
      { a: "CN=a,O=x", b: "o=x, cn=a" },
      [
        'accounts.APP.users.b.certificate | "o=x, cn=a" has the parts of "CN=a,O=x", which is a of APP: a certificate with them in another order could be either',
      ],
    ],
    [{ a: "user" }, ['accounts.APP.users.a.certificate | "user" is user of APP too']],
    [{ a: "sys" }, ['accounts.APP.users.a.certificate | "sys" is the system user too']],
    [
      { a: "rg1-az1" },
      ['accounts.APP.users.a.certificate | "rg1-az1" is in the certificate of rg1-az1 itself'],
    ],
    [
      { a: "CN=rg2-az3" },
      ['accounts.APP.users.a.certificate | "CN=rg2-az3" is in the certificate of rg2-az3 itself'],
    ],
    [
      { a: "localhost" },
      ['accounts.APP.users.a.certificate | "localhost" is in the certificate of rg1-az1 itself'],
    ],
  ])("with %j are refused by %j", (named, problems) => {
    expect(refusal({ ...MAP, ...users(named) })).toEqual(problems);
  });

  test("are refused where nobody asks for certificates", () => {
    const problem =
      "accounts.APP.users.a.certificate | clients aren't asked for certificates that name them";
    expect(refusal(users({ a: "CN=a" }))).toEqual([problem]);
    expect(refusal({ clientCertificates: { ca: "ca.pem" }, ...users({ a: "CN=a" }) })).toEqual([
      problem,
    ]);
  });

  test.each([
    [{ clientCertificates: { map: true } }, "clientCertificates.ca | no file is named"],
    [
      { clientCertificates: { ca: "a" }, tls: "none" },
      "clientCertificates | not used with tls: none",
    ],
    [
      { clientCertificates: { ca: "a", listeners: ["mqtt"] } },
      "clientCertificates.listeners | mqtt is off",
    ],
    [{ clientTls: { cert: "a" } }, "clientTls.key | no file is named"],
    [
      { clientTls: { cert: "a", key: "b" }, tlsFiles: { ca: "a", cert: "b", key: "c" } },
      "clientTls | not used with tls: files",
    ],
  ])("%j is refused: %s", (settings, problem) => {
    expect(refusal(settings)).toEqual([problem]);
  });

  test("turn TLS on by themselves, and have no password anywhere", () => {
    const plan = planOf({ ...MAP, mqtt: true, ...users({ a: "CN=a" }) });
    expect(plan.tls).toBe("stack");
    // No reload applies it, so it has to be in the label.
    expect(nodesOf(plan)[0]?.restartSettings).toMatchObject({
      "clientCertificates.map": "clients, mqtt",
    });
    const text = confOf(plan);
    expect(text).toMatch(
      /"user": "CN=a"\n\s+"allowed_connection_types": \[\n\s+"STANDARD"\n\s+"MQTT"\n\s+\]/,
    );
    expect(text).not.toMatch(/"user": "CN=a"[^}]*"password"/);
  });

  test("aren't on nodes that leave with a config that asks nobody for a certificate", () => {
    const before = planOf({ tls: "stack" });
    const after = planOf({ ...MAP, ...users({ a: "CN=a" }) });
    const [leaving] = nodesOf(before);
    const [staying] = nodesOf(after);
    const own = confOf(before);
    const next = confOf(after);
    expect(accountsBeside(leaving?.confText ?? "", own, next)).not.toContain("CN=a");
    expect(accountsBeside(staying?.confText ?? "", own, next)).toBe(next);
    expect(accountsBeside(leaving?.confText ?? "", own, own)).toBe(own);
  });

  test("aren't on nodes that leave with a listener that asks nobody, where others ask", () => {
    const mqtt = { mqtt: true };
    const before = planOf({
      ...MAP,
      ...mqtt,
      clientCertificates: { ...MAP.clientCertificates, listeners: ["clients"] },
    });
    const after = planOf({ ...MAP, ...mqtt, ...users({ a: "CN=a" }) });
    const [leaving] = nodesOf(before);
    expect(confOf(after)).toContain('"MQTT"');
    expect(accountsBeside(leaving?.confText ?? "", confOf(before), confOf(after))).not.toContain(
      "CN=a",
    );
  });
});

function confOf({ systemUser, accounts }: ReturnType<typeof planOf>): string {
  const hashes = { user: "$2a$10$user", [systemUser]: "$2a$10$sys" };
  return renderAccountsConf({ systemUser, accounts, hashes, managers: {} });
}
