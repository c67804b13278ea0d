import { describe, expect, test } from "vitest";
import { PlanError } from "../../lib/errors.ts";
import { readPasswords } from "../../lib/passwords.ts";

const USERS = { user: "user", systemUser: "sys" };

const read = (password?: string, systemPassword?: string) =>
  readPasswords(
    {
      ...(password === undefined ? {} : { "nats-regions:password": password }),
      ...(systemPassword === undefined ? {} : { "nats-regions:systemPassword": systemPassword }),
      "other:password": "of another project",
    },
    "nats-regions",
    USERS,
  );

function problemsOf(...passwords: (string | undefined)[]): string {
  try {
    read(...passwords);
  } catch (error) {
    if (error instanceof PlanError) return error.message;
    throw error;
  }
  return "";
}

describe("readPasswords", () => {
  test.each(["x", 'p"a$s\\s', "\0\u0001\u007f", "漢😀", "$HOME", "$2a", "x".repeat(256)])(
    "takes %j",
    (password) => {
      expect(read(password, "sys")).toEqual({ password, systemPassword: "sys" });
    },
  );

  test("says of each that is missing how to set it", () => {
    const text = problemsOf(undefined, "");
    expect(text).toContain("password: user user has no password; set one: npx pulumi config set");
    expect(text).toContain("--secret systemPassword");
    expect(text).not.toContain("another project");
  });

  test.each([
    ["longer than nats-server reads", "Zebra".repeat(60), "longer than 256 bytes"],
    ["longer in bytes than in characters", "漢".repeat(86), "longer than 256 bytes"],
    ["that nats-server takes for a hash", "$2a$11$Zebra", "bcrypt"],
  ])("refuses one %s, and doesn't quote it", (_, password, words) => {
    const text = problemsOf("user", password);
    expect(text).toContain("systemPassword: the password of user sys");
    expect(text).toContain(words);
    expect(text).not.toContain(password.slice(0, 8));
  });
});
