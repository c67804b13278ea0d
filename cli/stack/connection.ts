import type { Settings } from "../../lib/settings.ts";
import type { Connection } from "../../providers/connection.ts";
import { askPulumi } from "./pulumi-cli.ts";
import type { Stack } from "./stack.ts";

/** A way into a cluster as its clients have it. */
export interface ClientAccess {
  /** The account that is entered. */
  readonly account: string;
  readonly connection: Connection;
}

/**
 * How to reach a stack's cluster as the user of its application account, by these nodes only. The one place
 * where a command takes a password into its hands; it shows it to nobody.
 */
export async function accessTo(
  { name }: Stack,
  { account, user }: Pick<Settings, "account" | "user">,
  urls: readonly string[],
): Promise<ClientAccess> {
  const password = (await askPulumi(["config", "get", "password", "--stack", name])).trimEnd();
  return { account, connection: { urls, user, password } };
}
