import { expect, test } from "vitest";
import type { AccountPlan } from "../../../lib/accounts/account-settings.ts";
import { accountsBlock } from "../../../lib/accounts/accounts-conf.ts";

const account = (name: string): AccountPlan => ({
  name,
  users: [],
  limits: {},
  jetStream: {},
  exports: [],
  imports: [],
});

test("the stack's own user publishes to the buckets whose entries the settings have, in their account alone", () => {
  const accounts = {
    systemUser: "sys",
    accounts: [account("A"), account("B")],
    hashes: { sys: "hash" },
    managers: { A: "UA", B: "UB" },
  };
  const rightsOf = (written?: Readonly<Record<string, readonly string[]>>) => {
    const { accounts: block } = accountsBlock({ ...accounts, ...(written ? { written } : {}) });
    return JSON.stringify(block);
  };
  const plain = rightsOf();
  expect(plain.match(/"allow":\["\$JS\.API\.>"\]/g)).toHaveLength(2);
  const written = rightsOf({ B: ["$KV.CONFIG.>"] });
  expect(written.match(/"allow":\["\$JS\.API\.>"\]/g)).toHaveLength(1);
  expect(written).toContain(
    '"nkey":"UB","permissions":{"publish":{"allow":["$JS.API.>","$KV.CONFIG.>"]}',
  );
});
