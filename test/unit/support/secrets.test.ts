import { expect, test } from "vitest";
import { appearsIn } from "../../support/secrets.ts";

const SECRET = "app-Zebra-4711";

test.each(["", "a", "ab", "abc"])("a secret is found plain and in base64, after %j", (before) => {
  const text = `${before}${SECRET}, and so on`;
  expect(appearsIn(text, SECRET)).toBe(true);
  expect(appearsIn(Buffer.from(text).toString("base64"), SECRET)).toBe(true);
});

test("nothing is found where there is nothing", () => {
  expect(appearsIn("app-Zebra-4712", SECRET)).toBe(false);
  expect(appearsIn(Buffer.from("some text without it").toString("base64"), SECRET)).toBe(false);
});
