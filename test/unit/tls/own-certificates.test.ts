import { beforeAll, describe, expect, test } from "vitest";
import { checkTlsFiles } from "../../../lib/tls/own-certificates.ts";
import type { KeyedCertificate } from "../../../providers/certificates/issue-certificates.ts";
import {
  makeAuthority,
  makeCertificate,
  makeServerCertificate,
} from "../../support/certificates.ts";

const DAY = 86_400_000;

describe("certificates of one's own", () => {
  let ours: KeyedCertificate;
  let others: KeyedCertificate;
  let good: KeyedCertificate;
  let strange: KeyedCertificate;

  beforeAll(async () => {
    [ours, others] = [await makeAuthority(), await makeAuthority()];
    good = await makeCertificate("rg1-az1", ours);
    strange = await makeCertificate("rg1-az1", others);
  });

  const check = (files: Partial<KeyedCertificate>, ca = ours.certificate, now = Date.now()) =>
    checkTlsFiles(ca, [{ node: "rg1-az1", ...good, ...files }], now);
  const refusal = (...args: Parameters<typeof check>) =>
    check(...args).problems.map(({ path, message }) => `${path}: ${message}`);

  test("are taken, one pair for all nodes too", async () => {
    expect(check({})).toEqual({ problems: [], notices: [] });
    const shared = await makeCertificate("any", ours, ["rg1-az1", "*.nats.example.com"]);
    expect(refusal(shared)).toEqual([]);
    expect(refusal({}, `${others.certificate}${ours.certificate}`)).toEqual([]);
  });

  test("are refused where nodes would refuse them", async () => {
    const misnamed = await makeCertificate("rg1-az1", ours, ["elsewhere.example.com"]);
    expect(refusal(misnamed)).toEqual([
      "tlsFiles.cert: that of rg1-az1 is for DNS:elsewhere.example.com",
    ]);
    expect(refusal({ key: strange.key })).toEqual([
      "tlsFiles.key: that of rg1-az1 is another's key",
    ]);
    expect(refusal({ key: "" })).toEqual([
      "tlsFiles.key: that of rg1-az1 is no PEM text of a private key without a passphrase",
    ]);
    expect(refusal({ certificate: good.key })).toEqual([
      "tlsFiles.cert: that of rg1-az1 is no PEM text of a certificate",
    ]);
    expect(refusal(strange)).toEqual([
      expect.stringMatching(/^tlsFiles.cert: that of rg1-az1 is signed by nobody in tlsFiles.ca/),
    ]);
    expect(refusal({}, "")).toEqual(["tlsFiles.ca: no PEM text of certificates"]);
    expect(refusal({}, ours.certificate.repeat(200))).toEqual([
      expect.stringMatching(/^tlsFiles.ca: \d+ bytes are more than/),
    ]);
  });

  test("are told of where they aren't for hosts that clients are told of", async () => {
    const names = ["rg1-az1", "*.example.com", "2001:db8::7"];
    const named = await makeCertificate("rg1-az1", ours, names);
    const noticesFor = (hosts: readonly string[]) =>
      checkTlsFiles(ours.certificate, [{ node: "rg1-az1", ...named, hosts }], Date.now()).notices;
    expect(noticesFor(["rg1-az1.example.com", "2001:db8::7"])).toEqual([]);
    expect(noticesFor(["rg1.az1.example.com", "2001:db8::8"])).toEqual([
      "the certificate of rg1-az1 isn't for rg1.az1.example.com, 2001:db8::8, where others are told that it is: those that look for the name refuse it",
    ]);
  });

  test("are refused once they have expired, and told of before", () => {
    const [expiring, expired] = [70, 91].map((days) => Date.now() + days * DAY);
    expect(check({}, ours.certificate, expiring)).toEqual({
      problems: [],
      notices: [
        expect.stringMatching(/^the certificate of rg1-az1 expires in 19 days: put another/),
      ],
    });
    expect(refusal({}, ours.certificate, expired)).toEqual([
      expect.stringMatching(/^tlsFiles.cert: that of rg1-az1 is good from .* until/),
    ]);
  });

  test("never have what is in a key quoted", () => {
    const broken = good.key.replace("PRIVATE KEY", "PUBLIC KEY");
    const [, secret = ""] = good.key.split("\n");
    for (const key of [broken, good.key.slice(0, -40), strange.key]) {
      expect(JSON.stringify(check({ key }))).not.toContain(secret);
    }
  });

  test("may change authorities by way of both only", async () => {
    const node = (certificate: KeyedCertificate) => [{ node: "rg1-az1", ...certificate }];
    const both = `${ours.certificate}${others.certificate}`;
    const changed = (ca: string, to: KeyedCertificate, from: [ca: string, KeyedCertificate]) =>
      checkTlsFiles(ca, node(to), Date.now(), { ca: from[0], certificate: from[1].certificate })
        .problems.length;
    const [old, next] = [ours.certificate, others.certificate];
    expect(changed(next, strange, [old, good])).toBe(1);
    expect(changed(both, strange, [old, good])).toBe(1);
    expect(changed(both, good, [old, good])).toBe(0);
    expect(changed(both, strange, [both, good])).toBe(0);
    expect(changed(next, strange, [both, good])).toBe(1);
    expect(changed(next, strange, [both, strange])).toBe(0);
  });

  test("are good at both ends of a route, or refused", async () => {
    expect(refusal(await makeServerCertificate("rg1-az1", ours))).toEqual([
      "tlsFiles.cert: that of rg1-az1 isn't good for clients",
    ]);
  });
});
