import { planAccounts } from "../../lib/accounts/accounts.ts";
import type { Accounts } from "../../lib/accounts/accounts-conf.ts";

/** A system account and `APP` with one user, like a stack without the setting `accounts`. */
export function simpleAccounts(hashes: { readonly sys: string; readonly user: string }): Accounts {
  return {
    systemUser: "sys",
    accounts: planAccounts({
      account: "APP",
      user: "user",
      systemUser: "sys",
      hasPassword: true,
      accounts: {},
    }),
    hashes,
    managers: { APP: MANAGER },
  };
}

const MANAGER = "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF";
