import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  type Command,
  fileNameOf,
  readDocument,
  type Step,
  stepsOf,
} from "../support/documents.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PROJECT, TestStack } from "../support/stack.ts";

/** In the order in which people read them: the second goes on where the first ends. */
const FILES = ["README.md", "docs/tasks.md"];

/** What isn't run, by the file and what is typed, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "README.md: npm run drill -- region rg2": "takes a minute; test/stack/drill.test.ts",
  "README.md: npm run destroy": "docs/tasks.md goes on with the stack, and ends with it",
  "README.md: nats --server nats://127.0.0.1:4222 --user user --password user pub events.new hello":
    "the nats CLI isn't set up, and the port is that of dev",
  "docs/tasks.md: nats --server nats://old.example.com:4222 stream backup LOGS logs-backup --consumers":
    "other servers; test/stack/loss.test.ts adopts a stream with messages",
  "docs/tasks.md: nats --server nats://127.0.0.1:4222 --user user --password user stream restore logs-backup":
    "other servers; test/stack/loss.test.ts adopts a stream with messages",
  "docs/tasks.md: npm run drill -- region rg2": "takes a minute; test/stack/drill.test.ts",
  "docs/tasks.md: nats --server nats://127.0.0.1:4222 --user user --password user stream report":
    "the nats CLI isn't set up, and the port is that of dev",
  "docs/tasks.md: nats --server nats://127.0.0.1:4222 --user sys --password sys server report jetstream":
    "the nats CLI isn't set up, and the port is that of dev",
  "docs/tasks.md: npx pulumi stack init prod": "a second cluster; test/traffic/tls.test.ts",
  "docs/tasks.md: npx pulumi config set bindAddress 10.0.0.5": "an address of another machine",
  "docs/tasks.md: npx pulumi config set --path 'certificateNames[0]' nats.example.com":
    "of that cluster",
  "docs/tasks.md: npm start": "of that cluster",
  "docs/tasks.md: npm start -- --stack staging": "a second cluster, made as the first one",
  "docs/tasks.md: npx pulumi config set encryption aes": "for good; test/stack/encryption.test.ts",
  "docs/tasks.md: npx pulumi config set --secret encryptionKey":
    "for good; test/stack/encryption.test.ts",
  "docs/tasks.md: tlsFiles": "certificates that a reader has; test/server/tls.test.ts",
  "docs/tasks.md: clientTls, advertise":
    "certificates that a reader has; test/server/client-certificates.test.ts",
  "docs/tasks.md: clientCertificates":
    "certificates that a reader has; test/server/client-certificates.test.ts",
  "docs/tasks.md: clientCertificates, accounts":
    "certificates that a reader has; test/server/client-certificates.test.ts",
};

/** What is typed where a command asks. */
const TYPED: readonly (readonly [RegExp, string])[] = [[/config set --secret /, "Gnu-0815"]];

/** People read what would be lost or changed before they say yes. Here nobody does, and previews are commands of their own. */
const UNREAD = new Map([
  ["npm run destroy", "npm run destroy -- --yes"],
  ["npx pulumi up", "npx pulumi up --skip-preview"],
]);

const steps = FILES.flatMap((file) =>
  stepsOf(readDocument(file)).map((step) => ({ file, step, title: titleOf(file, step) })),
);

/** One stack, by the commands as they stand in the documents: each goes on where the one before ended. */
describe("whoever follows the documents", () => {
  let stack: TestStack;
  const files: string[] = [];

  beforeAll(() => {
    stack = TestStack.unmade();
  });

  afterAll(async () => {
    for (const file of files) rmSync(file);
    await stack.remove();
  });

  test("finds every command but those that are listed here, for a reason", () => {
    expect(steps.length).toBeGreaterThan(20);
    const titles = new Set(steps.map(({ title }) => title));
    expect(Object.keys(NOT_RUN).filter((title) => !titles.has(title))).toEqual([]);
  });

  test.each(steps.filter(({ title }) => NOT_RUN[title] === undefined))(
    "$title",
    async ({ step }) => {
      if (step.kind === "file") {
        const file = path.join(PROJECT, fileNameOf(step) ?? "");
        files.push(file);
        writeFileSync(file, step.text, { flag: "wx" });
      } else if (step.kind === "settings") {
        stack.mergeSettings(parse(step.text));
      } else {
        await run(step);
      }
    },
  );

  test("leaves nothing on the engine", async () => {
    expect(await stack.leftovers()).toEqual([]);
  });

  async function run({ text, output }: Command): Promise<void> {
    if (/ORDERS holds 50 messages/.test(output)) await fillOrders();
    const [, typed] = TYPED.find(([command]) => command.test(text)) ?? [];
    const outcome = await stack.shell(UNREAD.get(text) ?? text, typed);
    const said = `${text} ended with ${outcome.exitCode}:\n${outcome.text}`;
    const fails = /^ *(✗|error:)/m.test(output);
    expect(outcome.exitCode === 0, said).toBe(!fails);
    const seen = comparable(outcome.text);
    for (const part of partsOf(output)) expect(seen, `${said}\n\nIt shows no:`).toContain(part);
  }

  async function fillOrders(): Promise<void> {
    const { text: password } = await stack.shell("npx pulumi config get password");
    await using client = await NatsClient.connect(await stack.outputs(), "user", password.trim());
    for (let count = 0; count < 50; count++) await client.publish("orders.new", "order");
  }

  /** Without what differs from one run to another: counts, times, ports, who leads, blanks, the stack's name. */
  function comparable(text: string): string {
    return text
      .replaceAll(/^.*(?:meta leader|in place).*$/gm, (line) =>
        line.replaceAll(/rg\d-az\d/g, "node"),
      )
      .replaceAll(stack.name, "dev")
      .replaceAll(/\b(\d+[dhm])*\d+(\.\d+)? ?m?s\b/g, "#")
      .replaceAll(/(?<![\w:.-])\d[\d,]*(\.\d+)?/g, "#")
      .replaceAll("★", "◆")
      .replaceAll(/[│@]/g, " ")
      .replaceAll(/\s+/g, " ");
  }

  /** What a document shows, as far as nothing is left out in between. */
  function partsOf(output: string): readonly string[] {
    return output
      .split(/…|\n/)
      .map((part) => comparable(part).trim())
      .filter((part) => part !== "");
  }
});

function titleOf(file: string, step: Step): string {
  if (step.kind === "command") return `${file}: ${step.text}`;
  if (step.kind === "file") return `${file}: ${fileNameOf(step)}`;
  const names = Object.keys(parse(step.text)).map((name) => name.replace("nats-regions:", ""));
  return `${file}: ${names.join(", ")}`;
}
