import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatDuration,
  parseBytes,
  parseDuration,
} from "../../../lib/base/quantities.ts";

const SECOND = 1_000_000_000;

describe("durations", () => {
  it.each([
    ["0", 0],
    [0, 0],
    ["100ms", SECOND / 10],
    ["2m", 120 * SECOND],
    ["1h30m", 5_400 * SECOND],
    ["7d", 7 * 86_400 * SECOND],
    [" 1s ", SECOND],
    ["5µs", 5_000],
    ["5us", 5_000],
    ["1d1ns", 86_400 * SECOND + 1],
    ["3650d", 3_650 * 86_400 * SECOND],
  ])("%s is %d ns", (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it.each(["", "s", "1.5h", "-1s", "2 m", "1m1h", "forever", "1w"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(`"${text}" is not a duration`);
  });

  it("asks for the unit of a bare number", () => {
    expect(() => parseDuration(30)).toThrow(
      `"30" is not a duration; write numbers with units, e.g. 30s, 30m or 30h`,
    );
  });

  it("refuses what it can't keep to the nanosecond, and what the server can't hold", () => {
    expect(() => parseDuration("200d1ns")).toThrow(/can't be kept to the nanosecond/);
    expect(() => parseDuration("110000d")).toThrow(/can't be kept/);
  });

  it("writes in the fewest units", () => {
    expect(formatDuration(0)).toBe("0");
    expect(formatDuration(5_400 * SECOND)).toBe("1h30m");
    expect(formatDuration(90_061 * SECOND + 1_001_001)).toBe("1d1h1m1s1ms1us1ns");
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (nanoseconds) => {
        expect(parseDuration(formatDuration(nanoseconds))).toBe(nanoseconds);
      }),
    );
  });
});

describe("sizes", () => {
  it.each([
    ["1GiB", 1024 ** 3],
    ["512MiB", 512 * 1024 ** 2],
    ["10MB", 10_000_000],
    ["1.5KiB", 1_536],
    ["2 TB", 2e12],
    ["4096", 4_096],
    [4096, 4_096],
    ["0", 0],
    [-1, -1],
    ["unlimited", -1],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(["", "1G", "1gib", "-2", "1.5", "MB", "1e3", "9999999TiB", 1.5])("refuses %j", (text) => {
    expect(() => parseBytes(text)).toThrow(`"${text}" is not a size`);
  });

  it("writes in the largest unit that divides", () => {
    expect(formatBytes(1024 ** 2)).toBe("1MiB");
    expect(formatBytes(10_000_000)).toBe("10MB");
    expect(formatBytes(1_025)).toBe("1025");
    expect(formatBytes(-1)).toBe("unlimited");
    expect(formatBytes(0)).toBe("0");
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseBytes(formatBytes(bytes))).toBe(bytes);
      }),
    );
  });
});
