import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { changedFields, planTransformed, withFields } from "../../../components/transforms.ts";
import { nodesOf } from "../../../lib/plan/plan.ts";
import { changeOf, describeChanges } from "../../../lib/update/node-changes.ts";
import { planOf } from "../../support/cluster-report.ts";

const ARGS = {
  name: "c-rg1-az1",
  image: "nats:2.15.2",
  envs: ["GOMEMLIMIT=1"],
  labels: [{ label: "owner", value: "me" }],
  restart: "unless-stopped",
} satisfies docker.ContainerArgs;
const NODE = "rg1-az1";
const TEAM = { label: "team", value: "blue" };

const fieldsBy = (transform: Parameters<typeof changedFields<docker.ContainerArgs>>[1]) =>
  changedFields<docker.ContainerArgs>("container", transform, ARGS, NODE);

describe("a transform", () => {
  test("gives fields, and adds to lists that the cluster goes by", () => {
    const fields = fieldsBy({ logOpts: { "max-size": "10m" }, labels: [TEAM], envs: ["A=b"] });
    expect(fields).toEqual({ logOpts: { "max-size": "10m" }, labels: [TEAM], envs: ["A=b"] });
    expect(withFields(ARGS, fields)).toEqual({
      ...ARGS,
      logOpts: { "max-size": "10m" },
      labels: [...ARGS.labels, TEAM],
      envs: ["GOMEMLIMIT=1", "A=b"],
    });
  });

  test("may be a function of the node, which changes what it is given or returns others", () => {
    const byNode = (args: docker.ContainerArgs, node: string) => ({
      ...args,
      envs: [...ARGS.envs, `NODE=${node}`],
    });
    expect(fieldsBy(byNode)).toEqual({ envs: ["NODE=rg1-az1"] });
    const inPlace = (args: docker.ContainerArgs) => {
      (args.labels as object[]).push(TEAM);
      return undefined;
    };
    expect(fieldsBy(inPlace)).toEqual({ labels: [TEAM] });
    expect(ARGS.labels).toHaveLength(1);
  });

  test.each([undefined, {}, { restart: "unless-stopped" }, (args: docker.ContainerArgs) => args])(
    "that changes nothing is none: %o",
    (transform) => {
      expect(fieldsBy(transform)).toEqual({});
    },
  );

  test.each<[docker.ContainerArgs | Partial<docker.ContainerArgs>, string]>([
    [{ image: "nats:9" }, "transform.container: image can't be changed"],
    [{ memory: 1 }, "transform.container: memory can't be changed"],
    [{ ports: [] }, "transform.container: ports can't be changed"],
    [{ logDriver: pulumi.output("local") }, "logDriver has a value that isn't known yet"],
    [{ logOpts: { a: Promise.resolve("b") } }, "logOpts has a value that isn't known yet"],
  ])("is refused: %o", (fields, words) => {
    expect(() => fieldsBy(fields)).toThrow(words);
  });

  test.each(["labels", "envs"])("is refused where it takes away %s", (name) => {
    expect(() => fieldsBy((args) => ({ ...args, [name]: [] }))).toThrow(
      `transform.container: ${name} can only be added to`,
    );
  });

  test("restarts nodes by a reason that names what is changed", () => {
    const plan = planOf({ regions: ["rg1"] });
    const restartsBy = (before: object, after: object) => {
      const made = nodesOf(planTransformed(plan, () => ({ ...before })));
      const planned = planTransformed(plan, () => ({ ...after }));
      const container = { createdAt: new Date(), runs: true };
      const changes = nodesOf(planned).map((node, index) =>
        changeOf({ ...container, settings: made[index]?.restartSettings ?? {} }, node, undefined),
      );
      return describeChanges(changes, planned.waves);
    };
    const logs = { logOpts: { "max-size": "10m" } };
    const nodes = "restart, one by one: rg1-az1; then rg1-az2; then rg1-az3";
    expect(restartsBy({}, { ...logs, envs: ["A=b"] })).toEqual([
      expect.stringMatching(new RegExp(`^${nodes}: transform none → envs, logOpts \\(\\w{8}\\)$`)),
    ]);
    expect(restartsBy(logs, {})).toEqual([
      expect.stringMatching(new RegExp(`^${nodes}: transform logOpts \\(\\w{8}\\) → none$`)),
    ]);
    expect(restartsBy({ ...logs, init: true }, { init: true, ...logs })).toEqual([]);
  });
});
