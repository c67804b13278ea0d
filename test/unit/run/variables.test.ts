import { expect, test } from "vitest";
import { scriptVariables, trustOf } from "../../../run/variables.ts";

test("what isn't given has its default, if there is one", () => {
  const variables = scriptVariables.pick({
    LACKED: true,
    LATER: true,
    PATIENCE: true,
    SETTINGS: true,
    CA: true,
  });
  expect(variables.parse({})).toEqual({ LACKED: [], LATER: [], PATIENCE: 120_000, SETTINGS: [] });
  expect(scriptVariables.pick({ OWNER: true }).safeParse({}).success).toBe(false);
  expect(scriptVariables.pick({ ACCOUNTS: true }).safeParse({}).success).toBe(false);
});

test("what is given is read", () => {
  const variables = scriptVariables.pick({ ACCOUNTS: true, PATIENCE: true, NODES: true });
  const env = { ACCOUNTS: '["APP"]', PATIENCE: "5000", NODES: '["a"]' };
  expect(variables.parse({ ...env, HOME: "/" })).toEqual({
    ACCOUNTS: ["APP"],
    PATIENCE: 5_000,
    NODES: ["a"],
  });
});

test.each([{ PATIENCE: "0" }, { NODES: '{"a":"http://127.0.0.1:1"}' }, { OWNER: "" }])(
  "%o is refused",
  (env) => {
    expect(scriptVariables.partial().safeParse(env).success).toBe(false);
  },
);

test("nodes are asked with the authorities that certify them", () => {
  expect(trustOf("PEM")).toEqual({ ca: "PEM" });
  expect(trustOf(undefined)).toEqual({});
});
