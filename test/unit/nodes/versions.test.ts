import { describe, expect, it } from "vitest";
import {
  imageVersion,
  type ServerVersion,
  whyNotAccepted,
  whyNotTogether,
} from "../../../lib/nodes/versions.ts";

function parse(version: string): ServerVersion {
  return imageVersion(`nats:${version}`) ?? [0, 0, 0];
}

describe("imageVersion", () => {
  it.each([
    ["nats:2.15.2", [2, 15, 2]],
    ["nats:2.15.2-alpine", [2, 15, 2]],
    [`registry.example:5000/nats:v2.12.6@sha256:${"0".repeat(64)}`, [2, 12, 6]],
    ["nats:latest", undefined],
    ["nats", undefined],
    ["registry.example:5000/nats", undefined],
  ])("of %s", (image, version) => {
    expect(imageVersion(image)).toEqual(version);
  });
});

describe("whyNotAccepted", () => {
  it.each(["2.14.7", "2.14.9", "2.15.0", "2.15.2", "2.15.31"])("takes %s", (version) => {
    expect(whyNotAccepted(parse(version))).toBe(undefined);
  });

  it.each([
    ["2.12.6", "too old: this works with 2.14.7 or newer of 2.14, or 2.15; take a running cluster"],
    ["2.14.6", "nats:2.14.9 first"],
    ["2.16.0", "too new: this works with 2.14.7 or newer of 2.14, or 2.15; use one of these"],
    ["3.0.0", "a newer nats-regions"],
  ])("refuses %s and says what to do", (version, words) => {
    expect(whyNotAccepted(parse(version))).toContain(words);
    expect(whyNotAccepted(parse(version))).toContain(`nats-server ${version} is`);
  });
});

it.each<[string, string, boolean]>([
  ["2.15.2", "2.15.0", true],
  ["2.15.2", "2.14.7", true],
  ["2.14.7", "2.15.2", true],
  ["2.15.0", "2.14.6", false],
  ["2.14.6", "2.15.0", false],
  ["2.12.6", "2.15.2", false],
  ["2.12.6", "2.14.0", true],
  ["2.15.0", "3.0.0", true],
])("%s and %s in one cluster: %s", (one, other, fit) => {
  const reason = whyNotTogether(parse(one), parse(other));
  if (fit) expect(reason).toBe(undefined);
  else expect(reason).toMatch(/works beside 2\.14\.7 and later, not beside 2\.1/);
});
