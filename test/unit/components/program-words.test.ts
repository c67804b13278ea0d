import { describe, expect, test } from "vitest";
import { refuseUnreachable } from "../../../components/preflight/engine-refusals.ts";
import { describeRemedy } from "../../../lib/observed/majorities.ts";
import { describeMemoryKills } from "../../../lib/observed/memory-kill.ts";
import { passwordProblems } from "../../../lib/plan/passwords.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { describeForeign } from "../../../lib/plan/stack-identity.ts";
import { DockerError, type Engine, noEngine } from "../../../live/engine/engine.ts";
import { problemsOf } from "../../support/problems.ts";

describe("people whose program has the settings", () => {
  const IDENTITY = { project: "shop", stack: "dev", cluster: "east" };
  const planWith = (settings: object) => planCluster(parseSettings(settings, IDENTITY));
  const refusal = (check: () => unknown) => {
    try {
      return `${JSON.stringify(check())}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const all = (settings: object) => refusal(() => planWith(settings));
  const elsewhere = { isLocal: false, host: "tcp://10.0.0.9" } as Engine;
  const none = {
    system: undefined,
    simple: "Zebra",
    users: {},
    encryptionKey: undefined,
    encrypted: [],
    plainUsers: [],
  };

  test.each([
    ["regions of numbers", () => all({ regions: [1] }), "1 is not text; put it in quotes"],
    [
      "a tag that is a number",
      () => all({ streams: { S: { subjects: [1] } } }),
      "streams.S.subjects[0]: 1 is not text; put it in quotes",
    ],
    ["a misspelt setting", () => all({ regoins: [] }), "docs/settings.md of nats-regions"],
    [
      "a misspelt field",
      () => all({ streams: { S: { replcas: 3 } } }),
      "docs/streams.md of nats-regions",
    ],
    [
      "files that aren't named",
      () => all({ tls: "files", tlsFiles: { ca: "ca.pem", cert: "{node}.pem" } }),
      'tlsFiles: { key: "certificates/{node}.key" }',
    ],
    [
      "pages in the clear",
      () => planWith({ monitorAddress: "10.0.0.5", monitorPort: 8222 }).notices.join("\n"),
      'have it: tls: "stack"',
    ],
    [
      "missing and plain passwords",
      () => problemsOf(() => passwordProblems(planWith({ password: "(given)" }), none)).join("\n"),
      'systemPassword | user sys has no password | set one: systemPassword: config.requireSecret("…")\npassword | is no secret',
    ],
    [
      "nodes killed for memory",
      () => `${describeMemoryKills([{ node: "rg1-az1", memory: 64 * 1024 ** 2 }], "program")}`,
      'memory: "128MiB"',
    ],
    [
      "nodes that are down",
      () =>
        describeRemedy(
          {
            name: "the meta group",
            hosts: [],
            pending: [],
            replicas: 3,
            isShrinking: false,
            isLed: false,
            ill: [],
            full: [],
            away: [],
            isInMemory: false,
            isEmpty: false,
          },
          "program",
        ),
      "pulumi up --refresh",
    ],
    [
      "another's cluster",
      () => describeForeign(IDENTITY, [{ name: "shop-dev-east-rg1-az1", owner: "abc" }]),
      'owner: "abc" in its args',
    ],
    [
      "no engine",
      () => noEngine(new DockerError("ps", "it is off"), "program"),
      "a docker context to one that runs.",
    ],
    [
      "an engine elsewhere",
      () => refusal(() => refuseUnreachable(elsewhere, planWith({}), "program")),
      'bindAddress: "10.0.0.5"',
    ],
  ])("are told in its words of %s", (_, say, words) => {
    const text = say();
    expect(text).toContain(words);
    expect(text).not.toMatch(/npx|npm|config set/);
  });
});
