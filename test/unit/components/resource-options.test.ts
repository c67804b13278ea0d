import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { promiseOf } from "../../../components/known-value.ts";
import { NatsCluster } from "../../../components/nats-cluster.ts";
import { withOwnProviders } from "../../../components/parts/own-providers.ts";
import { allOf, handedDown, refuseProviders } from "../../../components/resource-options.ts";
import { Stream } from "../../../components/stream.ts";
import { BareCluster } from "../../support/bare-cluster.ts";
import { recordResources } from "../../support/mocks.ts";

const SETTINGS = { regions: ["rg1"], password: "app", systemPassword: "sys" };

class Component extends pulumi.ComponentResource {
  constructor(name: string, opts: pulumi.ComponentResourceOptions = {}) {
    super("test:index:Component", name, {}, opts);
    this.registerOutputs({});
  }
}

class Provider extends pulumi.ProviderResource {}

class Custom extends pulumi.CustomResource {
  constructor(name: string, opts: pulumi.CustomResourceOptions = {}) {
    super("test:index:Custom", name, {}, opts);
  }
}

beforeAll(() => recordResources());

type AnyOptions = pulumi.ComponentResourceOptions & pulumi.CustomResourceOptions;

describe("a cluster", () => {
  test.each<[AnyOptions, string]>([
    [{ ignoreChanges: ["memory"] }, "NatsCluster east: ignoreChanges: memory: what is planned"],
    [{ replaceOnChanges: ["*"] }, "NatsCluster east: replaceOnChanges: *: nodes are replaced"],
    [{ replacementTrigger: 1 }, "NatsCluster east: replacementTrigger: a cluster is never"],
    [
      { customTimeouts: { create: "5m" } },
      "NatsCluster east: customTimeouts: a stream's move takes as long",
    ],
    [{ import: "id" }, "NatsCluster east: import: a cluster that Pulumi didn't create"],
  ])("is refused with %j, before anything is begun", (opts, words) => {
    expect(() => new NatsCluster("east", SETTINGS, opts)).toThrow(words);
  });

  test.each(["docker", "command"])("is refused with a %s provider", (kind) => {
    const provider = new Provider(kind, "own");
    const refused = `providers: a ${kind} provider would be on another engine`;
    const around = new Component(`around-${kind}`, { providers: [provider] });
    const own = new Component(`own-${kind}`, { providers: [provider] });
    const inner = new Component(`inner-${kind}`, { parent: around });
    for (const component of [own, inner]) {
      expect(() => refuseProviders(component)).toThrow(refused);
    }
    expect(() => refuseProviders(new Component(`none-${kind}`))).not.toThrow();
  });
});

describe("a cluster where default providers are disabled", () => {
  const providersOf = (disabled: readonly string[], parent?: pulumi.Resource) => {
    const setting = JSON.stringify(disabled);
    pulumi.runtime.setAllConfig({ "pulumi:disable-default-providers": setting });
    const name = `disabled-${setting}-${parent !== undefined}`;
    const cluster = new Component(name, withOwnProviders(name, parent ? { parent } : {}));
    refuseProviders(cluster);
    const kinds = ["docker", "command", "pulumi-nodejs"];
    return kinds.filter((kind) => cluster.getProvider(`${kind}:index:Any`) !== undefined);
  };

  test.each([
    [["*"], ["docker", "command", "pulumi-nodejs"]],
    [["docker", "aws"], ["docker"]],
    [[], []],
  ])("has its own in the place of %j", (disabled, own) => {
    expect(providersOf(disabled)).toEqual(own);
  });

  test("makes none where one is inherited, which is refused as ever", () => {
    const around = new Component("around", { providers: [new Provider("docker", "theirs")] });
    expect(() => providersOf(["docker"], around)).toThrow("a docker provider would be on");
  });
});

describe("a stream", () => {
  test.each([
    [{ provider: new Provider("docker", "p") }, "Stream A: provider: a stream is reached"],
    [{ ignoreChanges: ["config"] }, "Stream A: ignoreChanges: config: what is planned"],
    [{ replaceOnChanges: ["config"] }, "Stream A: replaceOnChanges: config: a stream is changed"],
    [{ replacementTrigger: 1 }, "Stream A: replacementTrigger: a stream is changed"],
    [{ import: "A" }, "Stream A: import: `adopt: true` in its args"],
  ])("is refused with %o", (opts, words) => {
    const cluster = new BareCluster("c1", "key");
    expect(() => new Stream("A", { cluster }, opts)).toThrow(words);
  });
});

describe("what is handed down", () => {
  const childOptions = (
    opts: pulumi.ComponentResourceOptions,
    own: pulumi.ResourceOptions = {},
  ) => {
    const [handDown] = handedDown(opts).transformations ?? [];
    const resource = new Custom(`child-${JSON.stringify(Object.keys({ ...opts, ...own }))}`);
    const args = { type: "test:index:Custom", name: "child", props: {}, resource, opts: own };
    return handDown?.(args)?.opts;
  };

  test("is nothing where nothing is to be", () => {
    const opts = { protect: true };
    expect(handedDown(opts)).toBe(opts);
  });

  test("is added to what a child depends on itself", async () => {
    const [first, own] = [new Custom("first"), new Custom("own")];
    const opts = childOptions({ dependsOn: first }, { dependsOn: [own] });
    expect(await promiseOf(allOf(opts?.dependsOn))).toEqual([first, own]);
  });

  test("leaves a child what it is deleted with itself", () => {
    const [other, own] = [new Custom("other"), new Custom("own-life")];
    expect(childOptions({ deletedWith: other })).toMatchObject({ deletedWith: other });
    const kept = childOptions({ deletedWith: other }, { deletedWith: own });
    expect(kept?.deletedWith).toBe(own);
  });

  test("keeps all where the cluster is kept", () => {
    expect(childOptions({ retainOnDelete: true })).toEqual({ retainOnDelete: true });
  });
});
