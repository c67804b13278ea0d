import { expect, test } from "vitest";
import { formatProblems, nameResources } from "../../../lib/base/errors.ts";
import { howToSet, howToSetSecret, howToUnset } from "../../../lib/base/settings-place.ts";

test.each([
  ["memory", "1GiB", "npx pulumi config set memory 1GiB", 'memory: "1GiB"'],
  ["clientPort", 5222, "npx pulumi config set clientPort 5222", "clientPort: 5222"],
  [
    "tlsFiles.key",
    "{node}.key",
    "npx pulumi config set --path tlsFiles.key {node}.key",
    'tlsFiles: { key: "{node}.key" }',
  ],
])("%s is set where the settings stand", (path, value, typed, written) => {
  expect(howToSet("config", path, value)).toBe(typed);
  expect(howToSet("program", path, value)).toBe(written);
});

test("passwords are set as secrets", () => {
  const path = "accounts.A.users.reader.password";
  expect(howToSetSecret("config", path)).toBe(`npx pulumi config set --secret --path ${path}`);
  expect(howToSetSecret("program", path)).toBe('password: config.requireSecret("…")');
});

test("settings are taken out where they stand", () => {
  expect(howToUnset("config", "rollout")).toBe("npx pulumi config rm rollout");
  expect(howToUnset("program", "rollout")).toBe("take rollout out again");
});

test("people find streams beside their cluster by the names that they are declared by", () => {
  const problems = [
    { path: "streams.AUDIT.replicas", message: "7 is too many" },
    { path: "streams.AUDIT", message: "has no place" },
    { path: "streams.AUDITS.replicas", message: "7 is too many" },
    { path: "memory", message: "is too little" },
  ];
  expect(
    formatProblems(
      nameResources(problems, { streams: ["AUDIT"], buckets: ["CONFIG"], objectStores: [] }),
      "program",
    ),
  ).toBe(
    [
      "4 problems in its args, nothing was changed:",
      "  Stream AUDIT: replicas: 7 is too many",
      "  Stream AUDIT: has no place",
      "  streams.AUDITS.replicas: 7 is too many",
      "  memory: is too little",
    ].join("\n"),
  );
});
