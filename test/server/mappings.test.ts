import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Accounts } from "../../lib/accounts/accounts-conf.ts";
import type { Mappings } from "../../lib/accounts/mappings.ts";
import { renderEntries } from "../../lib/base/conf-format.ts";
import { whyNoTransform } from "../../lib/streams/subject-transform.ts";
import { simpleAccounts } from "../support/accounts.ts";
import { NatsServer } from "../support/nats-server.ts";
import { BINARY } from "../support/server-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Half of them are valid, so that whole destinations often are. */
const token = fc.oneof(
  fc.constantFrom("a", "b", "$1", "$2"),
  fc.constantFrom("$3", "$x", "*", ">", "", "a b", "{{}}", "a>"),
);
const call = fc
  .tuple(
    fc.constantFrom(
      "wildcard",
      "Wildcard",
      "WILDCARD",
      "partition",
      "split",
      "SplitFromLeft",
      "sliceFromRight",
      "left",
      "random",
      "none",
    ),
    fc.array(fc.constantFrom("1", "2", " 1", "x", "-", "", "99999999999"), { maxLength: 3 }),
    fc.constantFrom("", " "),
  )
  .map(([name, args, blank]) => `{{${blank}${name}(${args.join(",")})${blank}}}`);
const destination = fc
  .array(fc.oneof(token, token, call), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join("."))
  // The server takes an empty one, and then has no subject.
  .filter((text) => text !== "");
const source = fc.constantFrom("s", "s.*", "s.*.*", "s.>", "s.*.>", "*.s.*");

test("a destination is refused exactly where nats-server refuses it", async () => {
  const file = path.join(folder, "nats.conf");
  const verdicts = { taken: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(source, destination, async (source, destination) => {
      const mappings = { [source]: destination };
      await writeFile(file, renderEntries({ accounts: { A: { mappings } } }));
      const { exitCode } = await execa(BINARY, ["-t", "-c", file], { reject: false });
      const isTaken = whyNoTransform(source, destination) === undefined;
      verdicts[isTaken ? "taken" : "refused"] += 1;
      expect({ isTaken }).toEqual({ isTaken: exitCode === 0 });
    }),
    { numRuns: 400 },
  );
  // Far below what is drawn of each: a generator that found only one kind would prove little.
  for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(10);
});

const withMappings = (mappings: Mappings): Accounts => {
  const accounts = simpleAccounts({ sys: "sys", user: "user" });
  return { ...accounts, accounts: accounts.accounts.map((each) => ({ ...each, mappings })) };
};

test("a reload changes what clients get, by weights and by cluster", async () => {
  await using server = await NatsServer.start(withMappings({}));
  await using client = await server.connect("user", "user");
  const heard: string[] = [];
  client.subscribe(">", { callback: (_, { subject }) => void heard.push(subject) });
  const publish = async (subject: string, times = 1) => {
    heard.length = 0;
    for (let count = 0; count < times; count++) client.publish(subject);
    await client.flush();
    return heard.toSorted();
  };
  expect(await publish("old.eu.1")).toEqual(["old.eu.1"]);

  await server.reload(withMappings({ "old.*.*": "new.$2.$1" }));
  expect(await publish("old.eu.1")).toEqual(["new.1.eu"]);

  const weights = [
    { destination: "v1", weight: 50 },
    { destination: "v2", weight: 25 },
    { destination: "elsewhere", weight: 100, cluster: "other" },
  ];
  await server.reload(withMappings({ beta: weights }));
  expect(await publish("old.eu.1")).toEqual(["old.eu.1"]);
  const counts = Map.groupBy(await publish("beta", 1_000), (subject) => subject);
  expect([...counts.keys()]).toEqual(["beta", "v1", "v2"]);
  expect(counts.get("v1")?.length).toBeGreaterThan(400);

  await server.reload(withMappings({}));
  expect(await publish("beta")).toEqual(["beta"]);
});
