import { managerKey } from "../../lib/accounts/credentials.ts";
import { managerSeed } from "../../lib/accounts/nkeys.ts";
import type { Connection, Servers } from "../../live/jetstream/connection.ts";
import { askPulumi } from "../stack/pulumi-cli.ts";
import type { Stack } from "../stack/stack.ts";
import { readOwners } from "../stack/stack-state.ts";

/** A login to an account. */
export interface ClientAccess {
  /** The account that is entered. */
  readonly account: string;
  readonly connection: Connection;
}

/**
 * The login to an account of a stack's cluster as the stack's own user, with the URLs of these nodes only. No other
 * code of a command reads a password; this one doesn't print it.
 */
export async function accessTo(
  { name }: Stack,
  account: string,
  servers: Servers,
): Promise<ClientAccess> {
  const [password, owners] = await Promise.all([
    askPulumi(["config", "get", "systemPassword", "--stack", name]),
    readOwners(name),
  ]);
  const owner = owners[0]?.split("=")[1] ?? "";
  const key = await managerKey(password.trimEnd(), owner);
  return { account, connection: { ...servers, seed: managerSeed(key, account) } };
}
