import { expect, test } from "vitest";
import { commandOf, findUnguarded } from "../../../../cli/pulumi/targets.mjs";

const CONTAINERS = "**docker:index/container:Container**";
const STEPS = "**command:local:Command**";

test.each([
  ["up", "--yes", "--target", CONTAINERS],
  ["up", `-t=${CONTAINERS}`],
  ["update", "--target", "**c1-rg1-az1-container"],
  ["--yes", "up", "--target-replace", CONTAINERS],
  ["--color", "never", "up", "--target", CONTAINERS],
  ["up", "--exclude", STEPS],
  ["up", "--exclude=**-configured"],
  ["up", "--target", "**:Container::**"],
  ["up", "--target", "**Container**"],
  ["up", "--target", "**NatsNode$docker**"],
  ["up", "--target", "**rg1-az1-cont**", "--target", "**rg1-az2**"],
  ["up", "--target", "**rg1-az1**", "--target", "**rg1-az2-container"],
  ["up", "--exclude", "**Command**"],
  ["up", "--exclude", "**:Command::**"],
  ["up", "--exclude", "**rg1-az2-conf**"],
  ["up", "--exclude", "**c1-start"],
  ["preview", "--target", CONTAINERS],
  ["--color", "never", "pre", "--target", "**rg1-az1-container"],
])("nodes aren't restarted without their gates: %j", (...args) => {
  expect(args.join(" ")).toContain(findUnguarded(args) ?? "nothing was found");
});

test.each([
  ["up", "--target", CONTAINERS, "--target", STEPS],
  ["up", "--target", "urn:pulumi:dev::nats-regions::pulumi-nodejs:dynamic:nats:Stream::ORDERS"],
  ["up", "--replace", "urn:pulumi:dev::p::docker:index/container:Container::c1-rg1-az1-container"],
  ["up", "--exclude", "**wave**"],
  ["up", "--exclude", "**rg1-az1**"],
  ["up", "--target", "**rg1-az1**", "--target", "**ORDERS"],
  ["up", "--target", "**NatsNode**"],
  ["up", "--target", "**nats:Stream**"],
  ["refresh", "--target", CONTAINERS],
  ["destroy", "--target", CONTAINERS],
])("other targets are Pulumi's own: %j", (...args) => {
  expect(findUnguarded(args)).toBeUndefined();
});

test.each([
  [["up", "--yes"], "up"],
  [["--color", "never", "up", "--replace", "urn"], "up"],
  [["--stack", "dev", "destroy"], "destroy"],
  [["stack", "rename", "up"], "stack"],
  [["about"], "about"],
  [["--help"], undefined],
])("a command line is known by its command: %j", (args, command) => {
  expect(commandOf(args)).toBe(command);
});
