import { expect, test } from "vitest";
import { isReplaced } from "../../../lib/plan/replaced-steps.ts";

const URN = "urn:pulumi:dev::shop::nats-regions:index:NatsCluster$command:local:Command::";
const stateOf = (...resources: object[]) => ({ version: 3, deployment: { resources } });

test.each([
  ["replaced", stateOf({ urn: `${URN}a` }, { urn: `${URN}a`, delete: true }), true],
  ["removed", stateOf({ urn: `${URN}a` }), false],
  ["removed, while another is replaced", stateOf({ urn: `${URN}b-a`, delete: true }), false],
  ["of a stack that has nothing", { version: 3, deployment: null }, false],
])("tells a step that is %s", (_, state, expected) => {
  expect(isReplaced(state, "a")).toBe(expected);
});
