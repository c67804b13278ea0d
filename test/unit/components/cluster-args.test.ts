import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, test } from "vitest";
import { sourceOf } from "../../../components/cluster-args.ts";
import { knownValue } from "../../../components/known-value.ts";
import { recordResources } from "../../support/mocks.ts";

const NONE = { streams: {}, buckets: {}, objectStores: {} };

beforeAll(() => recordResources());

test("what streams are reached with is known while passwords of others are yet to be made", async () => {
  const unmade = pulumi.secret(pulumi.output(pulumi.unknown).apply(String));
  const systemPassword = pulumi.secret("sys-Yak-0815");
  const source = sourceOf({ systemPassword, password: unmade }, NONE);
  expect(await knownValue(source.passwords)).toBeUndefined();
  expect(await knownValue(source.systemPassword)).toBe("sys-Yak-0815");
  expect(await pulumi.isSecret(source.systemPassword)).toBe(true);
  expect(source.settings).toMatchObject({ systemPassword: "(given)", password: "(given)" });
});

test("a password that isn't one of Pulumi's secrets is told from those that are", async () => {
  const accounts = {
    A: { users: { writer: { password: "Gnu" }, reader: { password: pulumi.secret("Emu") } } },
  };
  const encryptionKey = pulumi.secret("key");
  const given = { systemPassword: "sys", password: pulumi.secret("app"), encryptionKey, accounts };
  const { passwords, settings } = sourceOf(given, NONE);
  expect(settings).toMatchObject({ encryptionKey: "(given)" });
  expect(await knownValue(passwords)).toMatchObject({
    encrypted: ["password", "encryptionKey", "accounts"],
    plainUsers: ["writer"],
  });
});
