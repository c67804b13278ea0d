import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { Engine } from "../../live/engine/engine.ts";
import { enginesVariable } from "../../live/engine/told-engines.ts";
import { type NetworkSpec, networkFlags } from "../network-spec.ts";
import type { Ownership } from "../ownership.ts";
import { NOTHING, onEngine } from "./script.ts";

/**
 * Creates the network with a Command. The Docker provider's own resource sleeps 2 s after creating it, before removing
 * it and at each refresh (terraform-provider-docker 4), while every node waits for it.
 */
export function createNetwork(
  name: string,
  network: NetworkSpec,
  engine: Engine,
  { label, labels }: Ownership,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  return new local.Command(
    name,
    {
      create: onEngine(
        engine,
        'docker network inspect "$NETWORK" >/dev/null 2>&1 || docker network create $LABELS "$NETWORK"',
      ),
      delete: onEngine(engine, `docker network rm "$NETWORK" || ${IS_GONE} || ${isInUse(label)}`),
      environment: {
        NETWORK: network.name,
        // By another name, networks that there are would be made anew.
        LABELS: networkFlags(network, labels).join(" "),
        ...enginesVariable([engine]),
      },
      logging: local.Logging.None,
    },
    // Not for the engine's address or options: by those of before, its machine may not be reached any more.
    {
      replaceOnChanges: ["environment.NETWORK", "environment.LABELS"],
      deleteBeforeReplace: true,
      ...options,
    },
  );
}

/** What is left of a network whose machine is lost: a Command that does nothing, neither now nor when it is deleted. */
export function createNoNetwork(name: string, options: pulumi.CustomResourceOptions): void {
  const nothing = { create: NOTHING, update: NOTHING, delete: NOTHING };
  new local.Command(name, { ...nothing, logging: local.Logging.None }, options);
}

// Counts as removed, but only if the engine confirms that there is no such network.
const IS_GONE =
  '{ found=$(docker network ls --quiet --filter "name=^$NETWORK$") && [ -z "$found" ]; }';

/**
 * Whether nodes are in the network. They are if an `up` is told to replace it: then it stays. When the cluster is
 * deleted, the nodes go first.
 */
function isInUse({ label, value }: Ownership["label"]): string {
  const filters = `--filter "network=$NETWORK" --filter "label=${label}=${value}"`;
  return `{ nodes=$(docker ps --quiet ${filters}) && [ -n "$nodes" ] && echo "the network stays, as nodes are in it"; }`;
}
