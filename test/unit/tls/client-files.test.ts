import { beforeAll, describe, expect, test } from "vitest";
import { checkClientAuthorities, checkShownFiles } from "../../../lib/tls/client-files.ts";
import type { KeyedCertificate } from "../../../providers/certificates/issue-certificates.ts";
import {
  makeAuthority,
  makeCertificate,
  makeClientCertificate,
  makeServerCertificate,
} from "../../support/certificates.ts";

const DAY = 86_400_000;
const HOST = "nats.example.com";

describe("a certificate for clients", () => {
  let company: KeyedCertificate;
  let other: KeyedCertificate;
  let good: KeyedCertificate;

  beforeAll(async () => {
    [company, other] = [await makeAuthority(), await makeAuthority()];
    good = await makeServerCertificate(HOST, company);
  });

  interface Given extends Partial<KeyedCertificate> {
    readonly ca?: string;
    readonly host?: string;
  }
  const check = ({ ca, host = HOST, ...pair }: Given, now = Date.now()) =>
    checkShownFiles(
      { nodes: [{ node: "n", ...good, ...pair, host }], ...(ca === undefined ? {} : { ca }) },
      [company.certificate],
      now,
    );
  const refusal = (...given: Parameters<typeof check>) =>
    check(...given).problems.map(({ path, message }) => `${path}: ${message}`);

  test("is taken if its authority is known to all, or named, and needn't be good for clients", () => {
    expect(check({})).toEqual({ problems: [], notices: [] });
    expect(check({ ca: company.certificate })).toEqual({ problems: [], notices: [] });
  });

  test("is refused where clients would refuse it", async () => {
    expect(refusal({ ca: other.certificate })[0]).toMatch(
      /^clientTls.cert: .*by no authority that clientTls.ca has/,
    );
    const strange = await makeServerCertificate(HOST, other);
    expect(refusal(strange)[0]).toMatch(/^clientTls.cert: .*by no authority that systems know/);
    expect(check({ host: "10.0.0.5" }).problems).toEqual([
      {
        path: "advertise",
        message: `clients are told to reach n at 10.0.0.5, and clientTls.cert of it is for DNS:${HOST}`,
        fix: expect.stringContaining("set it to one of those"),
      },
    ]);
    expect(refusal({ key: strange.key })).toEqual(["clientTls.key: that of n is another's key"]);
    expect(refusal({ key: "secret" })[0]).toMatch(/no PEM text of a private key/);
    expect(refusal({ certificate: "" })[0]).toMatch(/no PEM text of a certificate/);
    expect(refusal({ ca: "" })).toEqual(["clientTls.ca: no PEM text of certificates"]);
    expect(refusal({}, Date.now() + 91 * DAY)[0]).toMatch(/is good from .* until/);
    expect(refusal({}, Date.now() - DAY)[0]).toMatch(/is good from .* until/);
    const client = await makeClientCertificate({ subject: "CN=n" }, company);
    expect(refusal(client)).toEqual(["clientTls.cert: that of n isn't good for servers"]);
  });

  test("has names for each address, and wildcards", async () => {
    const names = ["*.nats.example.com", "10.0.0.5"];
    const wide = await makeCertificate("n", company, names);
    expect(refusal({ ...wide, host: "n.nats.example.com" })).toEqual([]);
    expect(refusal({ ...wide, host: "10.0.0.5" })).toEqual([]);
    expect(refusal({ ...wide, host: "a.b.nats.example.com" })).toHaveLength(1);
    // Go's clients don't take the common name for one.
    expect(refusal({ ...wide, host: "n" })).toHaveLength(1);
  });

  test("is warned of before it ends", () => {
    const { problems, notices } = check({}, Date.now() + 65 * DAY);
    expect(problems).toEqual([]);
    expect(notices).toEqual([
      expect.stringMatching(/^clientTls.cert: the certificate of n expires in 2\d days/),
    ]);
  });
});

describe("the authorities of clients", () => {
  test("include that of one's own certificates of nodes", async () => {
    const [nodes, clients] = [await makeAuthority(), await makeAuthority()];
    const own = [{ node: "n", ...(await makeCertificate("n", nodes)) }];
    const now = Date.now();
    expect(checkClientAuthorities(clients.certificate, undefined, now).problems).toEqual([]);
    expect(checkClientAuthorities(clients.certificate, own, now).problems).toEqual([
      expect.objectContaining({
        path: "clientCertificates.ca",
        message: expect.stringMatching(/has no authority of tlsFiles.cert of n/),
      }),
    ]);
    const both = clients.certificate + nodes.certificate;
    expect(checkClientAuthorities(both, own, now).problems).toEqual([]);
    expect(checkClientAuthorities("", own, now).problems).toHaveLength(1);
    expect(checkClientAuthorities(both, undefined, now + 101 * DAY).problems).toHaveLength(1);
  });
});
