import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalName,
  hostAndPort,
  isEverywhere,
  isHost,
  isLinkLocal,
  isLoopback,
  isPrivate,
  mappedIpv4,
  overlap,
  reachedHere,
} from "../../../lib/base/addresses.ts";

describe("addresses", () => {
  test.each<[(address: string) => boolean, readonly string[], readonly string[]]>([
    [
      isLoopback,
      ["127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::FFFF:7f00:1"],
      ["10.0.0.1", "::", "127.example.com", "::2", "128.0.0.1", "1::"],
    ],
    [isEverywhere, ["0.0.0.0", "::", "0::0", "::ffff:0.0.0.0"], ["::1", "0.0.0.1", "10.0.0.0"]],
    [isLinkLocal, ["169.254.1.1", "fe80::1", "FEBF::1"], ["fd00::1", "fe.example.com", "10.0.0.1"]],
    [
      isPrivate,
      ["10.1.1.1", "172.16.0.1", "192.168.1.1", "fd99::1", "::ffff:10.0.0.1"],
      ["172.32.0.1", "8.8.8.8", "2001:db8::1", "fd.example.com", "10.example.com"],
    ],
    [
      isHost,
      ["m1", "a.example.com", "10.0.0.1", "::1", "3com.example"],
      ["127.1", "0x7f.1", "a.0x1", "1", "a b", "[::1]", "fe80::1%eth0", ""],
    ],
  ])("%o", (is, those, others) => {
    expect(those.filter((each) => !is(each))).toEqual([]);
    expect(others.filter(is)).toEqual([]);
  });

  test("have one canonical spelling, which stays what it is", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const canonical = canonicalName(address);
        expect(canonicalName(canonical)).toBe(canonical);
        expect(canonicalName(address.toUpperCase())).toBe(canonical);
        expect(canonical).not.toMatch(/[A-Z]|:0+[0-9a-f]/);
        const url = new URL(`tls://${hostAndPort(canonical, 4222)}`);
        expect(url.hostname).toBe(`[${canonical}]`);
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(canonicalName(address)).toBe(address);
        expect(mappedIpv4(`::ffff:${address}`)).toBe(address);
        expect(isLoopback(`::ffff:${address}`)).toBe(isLoopback(address));
      }),
    );
  });

  test("overlap where one port can't be on both", () => {
    expect(overlap("10.0.0.1", "10.0.0.1")).toBe(true);
    expect(overlap("10.0.0.1", "10.0.0.2")).toBe(false);
    expect(overlap("0.0.0.0", "10.0.0.2")).toBe(true);
    expect(overlap("0.0.0.0", "2001:db8::1")).toBe(false);
    expect(overlap("::", "2001:db8::1")).toBe(true);
    expect(overlap("10.0.0.1", "::")).toBe(false);
    expect(overlap("::1", "::2")).toBe(false);
  });

  test("that mean all are reached on loopback", () => {
    expect(["0.0.0.0", "::", "::1"].map(reachedHere)).toEqual(["127.0.0.1", "::1", "::1"]);
  });
});
