import { expect, test } from "vitest";
import { hasResource, isReplaced } from "../../../lib/plan/replaced-steps.ts";

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

test("tells a resource that stays from one that is about to be deleted", () => {
  expect(hasResource(stateOf({ urn: `${URN}a`, taint: true }), `${URN}a`)).toBe(true);
  expect(hasResource(stateOf({ urn: `${URN}a`, delete: true }), `${URN}a`)).toBe(false);
  expect(hasResource(stateOf({ urn: `${URN}b-a` }), `${URN}a`)).toBe(false);
});
