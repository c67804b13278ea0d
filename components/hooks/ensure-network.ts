import * as pulumi from "@pulumi/pulumi";
import { AlreadyExists, type Engine, NotFound } from "../../live/engine/engine.ts";
import { labelFlags, type Ownership } from "../ownership.ts";

/**
 * A hook that recreates the network if it was removed: the Command that owns it can't notice, but containers need it.
 * All containers share one hook, because one check is enough.
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

/** False if the engine doesn't answer: creating the container may work all the same. */
async function isMissing(engine: Engine, networkName: string): Promise<boolean> {
  return await engine.run("network", "inspect", networkName).then(
    () => false,
    (error: unknown) => error instanceof NotFound,
  );
}
