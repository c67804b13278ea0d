import { expect, test } from "vitest";
import { streamPatience } from "../../../components/steps/script-patience.ts";
import { configure, configuredPatience } from "../../../providers/process/configured.ts";

test.each([
  ["the default", 120_000, 60_000],
  ["more", 600_000, 600_000],
  ["less than an election may take", 10_000, 60_000],
])("streams wait as long as patience says: %s", async (_, patience, expected) => {
  const connection = { urls: [], managerKey: "key", ...streamPatience({ patience }) };
  const require = () => JSON.stringify(connection);
  await configure({ config: { require, get: () => undefined } } as never);
  expect(configuredPatience()).toBe(expected);
});
