import * as pulumi from "@pulumi/pulumi";
import { AlreadyExists, type Engine, NotFound } from "../../live/engine/engine.ts";
import { labelFlags, type Ownership } from "../ownership.ts";

/**
 * A hook that makes the network anew if it was removed: a Command can't see that, a container needs it. One
 * for all containers, as one look is enough.
 */
export function ensureNetwork(
  engine: Engine,
  networkName: string,
  { labels }: Ownership,
): pulumi.ResourceHook {
  const ensure = async () => {
    if (!(await isMissing(engine, networkName))) return;
    try {
      await engine.run("network", "create", ...labelFlags(labels), networkName);
    } catch (error) {
      if (!(error instanceof AlreadyExists)) throw error;
    }
  };
  let ensured: Promise<void> | undefined;
  return new pulumi.ResourceHook(`ensure-network-${networkName}`, () => {
    ensured ??= ensure();
    return ensured;
  });
}

/** An engine that doesn't answer now may do so once the container is made. */
async function isMissing(engine: Engine, networkName: string): Promise<boolean> {
  return await engine.run("network", "inspect", networkName).then(
    () => false,
    (error: unknown) => error instanceof NotFound,
  );
}
