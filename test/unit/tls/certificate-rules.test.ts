import { describe, expect, test } from "vitest";
import { nodesOf } from "../../../lib/plan/plan.ts";
import {
  AUTHORITY_LIFETIME,
  describeExpiry,
  isAuthorityDue,
  isDue,
  validityFrom,
} from "../../../lib/tls/certificate-rules.ts";
import { planOf } from "../../support/cluster-report.ts";

const NOW = Date.parse("2026-11-26T08:00:00.500Z");
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const YEAR = 365 * DAY;
const inFuture = (milliseconds: number) => new Date(NOW + milliseconds).toISOString();

test("a certificate holds from a little before now, by whole seconds", () => {
  expect(validityFrom(NOW, 2 * DAY)).toEqual({
    validFrom: "2026-11-26T07:55:00Z",
    validUntil: "2026-11-28T08:00:00Z",
  });
});

describe("a certificate is renewed", () => {
  test.each([
    ["of a year", YEAR, 30 * DAY],
    ["of three months", 90 * DAY, 30 * DAY],
    ["of a month, in its last third", 30 * DAY, 10 * DAY],
    ["of minutes, in its last third", 3 * MINUTE, MINUTE],
  ])("%s", (_, lifetime, left) => {
    expect(isDue(inFuture(left + 1), lifetime, NOW)).toBe(false);
    expect(isDue(inFuture(left - 1), lifetime, NOW)).toBe(true);
    expect(isDue(inFuture(-DAY), lifetime, NOW)).toBe(true);
  });

  test("and its authority, while that still outlasts whatever it may sign", () => {
    const third = AUTHORITY_LIFETIME / 3;
    expect(isAuthorityDue(inFuture(third + 1), NOW)).toBe(false);
    expect(isAuthorityDue(inFuture(third - 1), NOW)).toBe(true);
    expect(third).toBeGreaterThan(
      planOf({ certificateLifetime: "1095d" }).certificateLifetime / 1e6,
    );
  });
});

test.each([
  [20.5 * DAY, "expires in 20 days"],
  [DAY, "expires in 24 hours"],
  [90 * MINUTE, "expires in 90 minutes"],
  [1.5 * MINUTE, "expires in 1 minute"],
  [0, "has expired"],
  [-DAY, "has expired"],
])("%d ms from its end it %s", (left, words) => {
  expect(describeExpiry(inFuture(left), NOW)).toBe(words);
});

describe("a node's certificate", () => {
  const namesOf = (settings: object) => nodesOf(planOf(settings))[0]?.certificateNames;
  const own = ["rg1-az1", "nats-regions-dev-rg1-az1", "localhost", "127.0.0.1"];

  test.each([
    ["on loopback", {}, own],
    ["on an address", { bindAddress: "10.0.0.5" }, [...own, "10.0.0.5"]],
    ["everywhere", { bindAddress: "0.0.0.0" }, own],
    [
      "by further names",
      {
        bindAddress: "0.0.0.0",
        certificateNames: ["nats.example.com", "2001:db8::1", "localhost"],
      },
      [...own, "nats.example.com", "2001:db8::1"],
    ],
    [
      "by one address in many spellings",
      { certificateNames: ["2001:DB8:0::1", "2001:db8::1", "::ffff:10.0.0.5"] },
      [...own, "2001:db8::1", "::ffff:a00:5"],
    ],
    [
      "that is monitored from elsewhere",
      { bindAddress: "10.0.0.5", monitorAddress: "10.1.0.5" },
      [...own, "10.0.0.5", "10.1.0.5"],
    ],
  ])("names it %s", (_, settings, names) => {
    expect(namesOf(settings)).toEqual(names);
  });
});
