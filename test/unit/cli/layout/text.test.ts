import { describe, expect, test } from "vitest";
import { wrap } from "../../../../cli/layout/text.ts";

describe("wrap", () => {
  const words = (...texts: string[]) => texts.map((text) => ({ text, paint: String }));

  test("counts what finds no room", () => {
    expect(wrap(words("aaa", "bbb", "ccc", "ddd"), 7, 2)).toEqual(["aaa bbb", "ccc ddd"]);
    expect(wrap(words("aaa", "bbb", "ccc", "ddd"), 7, 1)).toEqual(["aaa +3"]);
    expect(wrap(words("aaaaaaaaaa", "bbb"), 7, 1)).toEqual(["+2"]);
    expect(wrap(words("aaaaaaaaaa"), 7, 1)).toEqual(["aaaaaa…"]);
    expect(wrap([], 7, 1)).toEqual([]);
  });
});
