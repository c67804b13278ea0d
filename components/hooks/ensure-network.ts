import * as pulumi from "@pulumi/pulumi";
import { AlreadyExists, type Engine, NotFound } from "../../live/engine/engine.ts";
import { type NetworkSpec, networkFlags } from "../network-spec.ts";
import type { Ownership } from "../ownership.ts";

/**
 * A hook that recreates the network if it was removed: the Command that owns it can't notice, but containers need it.
 * All containers on an engine share one hook, because one check is enough.
 *
 * @param suffix of the hook's name, which distinguishes engines.
 */
export function ensureNetwork(
  engine: Engine,
  network: NetworkSpec,
  { labels }: Ownership,
  suffix: string,
): pulumi.ResourceHook {
  const ensure = async () => {
    if (!(await isMissing(engine, network.name))) return;
    try {
      await engine.run("network", "create", ...networkFlags(network, labels), network.name);
    } catch (error) {
      if (!(error instanceof AlreadyExists)) throw error;
    }
  };
  let ensured: Promise<void> | undefined;
  return new pulumi.ResourceHook(`ensure-network-${network.name}${suffix}`, () => {
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
