import { expect, test } from "vitest";
import { formatSize, listSome } from "../../../lib/base/wording.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [98_765, "96.5 KiB"],
  [5 * 1024 ** 3, "5.0 GiB"],
])("formatSize(%d) is %s", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test.each([
  [0, ""],
  [2, "s1, s2"],
  [1_014, "s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12 and 1,002 more"],
])("listSome of %i names", (count, text) => {
  expect(listSome(Array.from({ length: count }, (_, index) => `s${index + 1}`))).toBe(text);
});
