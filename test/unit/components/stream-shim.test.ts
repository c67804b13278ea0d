import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { execa } from "execa";
import { expect, it } from "vitest";
import { providerText } from "../../../components/dynamic.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { Stream } from "../../../components/stream.ts";
import { BareCluster } from "../../support/bare-cluster.ts";
import { recordResources } from "../../support/mocks.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const PROJECT = resolve(import.meta.dirname, "../../..");
const PASSWORD = "open-sesame";

/** Does what @pulumi/pulumi/cmd/dynamic-provider does with `__provider`, in a plain node of its own. */
const HOST = `
const { text, settings, inputs } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const provider = require("require-from-string")(text).handler();
provider
  .configure({ config: { require: (key) => settings[key] } })
  .then(() => provider.check({}, inputs))
  .then((result) => console.log(JSON.stringify(result)));
`;

/** Names of what a module exports, as the dynamic provider's process finds it by a text. */
async function exportedBy(text: string): Promise<unknown> {
  const host = `console.log(JSON.stringify(Object.keys(require("require-from-string")(${JSON.stringify(text)}).handler())))`;
  const { stdout } = await execa(process.execPath, ["-e", host], { cwd: PROJECT });
  return JSON.parse(stdout);
}

it("the provider's text finds the lifecycle from the program's folder, in plain node", async () => {
  const recorder = await recordResources();
  const config = { name: "ORDERS", num_replicas: 3, placement: { tags: ["rg:2"] } };
  const placement = { kind: "exact", hosts: [] } as const;
  const plan = {
    key: "ORDERS",
    name: "ORDERS",
    account: "APP",
    config,
    policy: {},
    consumers: [],
    placement,
  } as const;
  const checked = pulumi.output(undefined);
  const stage = { plan, fleet: pulumi.output(JSON.stringify(SEED_FLEET)), checked, after: [] };
  const cluster = new BareCluster("c1", PASSWORD, { ORDERS: Promise.resolve(stage) });
  const stream = new Stream("ORDERS", { cluster });
  await promiseOf(stream.urn);
  const recorded = await recorder.settled(4);
  const inputsOf = (name: string) => recorded.find((each) => each.name === name)?.inputs ?? {};
  const { __provider: text, ...inputs } = inputsOf("ORDERS");

  expect(JSON.stringify(recorded.map(({ plainInputs }) => plainInputs))).not.toContain(PASSWORD);
  expect(JSON.stringify(inputs)).not.toContain(PASSWORD);
  const { stdout, stderr } = await execa(process.execPath, ["-e", HOST], {
    cwd: PROJECT,
    input: JSON.stringify({ text, settings: inputsOf("c1-jetstream"), inputs }),
    env: { NODE_OPTIONS: "" },
  });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    inputs: {
      stream: "ORDERS",
      account: "APP",
      config,
      policy: {},
      hosts: ["rg2-az1", "rg2-az2", "rg2-az3"],
    },
    failures: [],
  });
  expect(pulumi.Output.isInstance(stream.hosts)).toBe(true);
});

it.each([
  ["stream", "streamProvider"],
  ["roster", "rosterProvider"],
  ["certificates", "authorityProvider"],
  ["certificates", "certificateProvider"],
] as const)("%s: what older states have leads to %s as well", async (module, name) => {
  const former = `exports.handler = () => require(require("node:path").resolve("providers/${module}.ts")).${name};`;
  const exported = await exportedBy(former);
  expect(exported).toContain("diff");
  expect(await exportedBy(providerText(module, name))).toEqual(exported);
});
