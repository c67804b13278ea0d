import { connect, type NatsConnection } from "nats";
import { PASSWORDS } from "./passwords.ts";
import type { TestStack } from "./stack.ts";

/** Connects to a stack's nodes as the first account's user, with the client's own library. */
export async function connectAsUser(stack: TestStack): Promise<NatsConnection> {
  const { clientUrls } = await stack.outputs();
  return await connect({
    servers: Object.values(clientUrls),
    user: "user",
    pass: PASSWORDS.password,
    ignoreClusterUpdates: true,
  });
}
