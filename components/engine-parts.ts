import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../lib/plan/plan.ts";
import { type Engine, withHome } from "../live/engine/engine.ts";
import { ensureNetwork } from "./hooks/ensure-network.ts";
import { limitProcesses } from "./hooks/process-limit.ts";
import { networkSpecOf } from "./network-spec.ts";
import type { Ownership } from "./ownership.ts";
import { createNetwork, createNoNetwork } from "./steps/network.ts";

/** In the name of an engine's provider, between the cluster's name and the engine's key. */
export const PROVIDER_INFIX = "-docker-";

/** What the nodes on one engine share. */
export interface EngineParts {
  readonly engine: Engine;
  /** The provider for resources on it; undefined if the environment chooses the only engine. */
  readonly provider: docker.Provider | undefined;
  /** The pulled image. */
  readonly pulled: docker.RemoteImage;
  readonly network: pulumi.Resource;
  readonly ensureNetwork: pulumi.ResourceHook;
  readonly limitProcesses: pulumi.ResourceHook;
}

export interface EnginePartsArgs {
  /** Whether the engine doesn't answer: then what is on it stays as it is. */
  readonly isSilent: boolean;
  readonly plan: Pick<ClusterPlan, "prefix" | "image" | "ipv6Subnet">;
  readonly ownership: Ownership;
}

/**
 * Creates what the nodes on one engine share: network and image. The names of an engine's parts end with its key; those
 * of a cluster's only engine have no such end.
 */
export function createEngineParts(
  name: string,
  engine: Engine,
  { plan, ownership, isSilent }: EnginePartsArgs,
  parent: pulumi.Resource,
): EngineParts {
  const { place } = engine;
  const spec = networkSpecOf(plan);
  const frozen = isSilent ? { ignoreChanges: ["*"] } : {};
  const suffix = place === undefined ? "" : `-${place.key}`;
  const provider =
    place && createProvider(`${name}${PROVIDER_INFIX}${place.key}`, engine, { parent });
  return {
    engine,
    provider,
    pulled: new docker.RemoteImage(
      `${name}-image${suffix}`,
      { name: plan.image, keepLocally: true },
      // A changed image replaces this resource, also in a protected cluster.
      { parent, protect: false, ...(provider ? { provider } : {}), ...frozen },
    ),
    network: createNetwork(`${name}-network${suffix}`, spec, engine, ownership, {
      parent,
      ...frozen,
    }),
    ensureNetwork: ensureNetwork(engine, spec, ownership, suffix),
    limitProcesses: limitProcesses(engine, `limit-processes-${plan.prefix}${suffix}`),
  };
}

/**
 * Creates the provider for an engine of the settings. It (5.2) takes what it isn't told from the environment, which may
 * lead to another engine: so it is told that there is nothing else. Options of ssh that have no place in the state, such
 * as a shared connection, are in `live/engine/ssh`.
 */
function createProvider(
  name: string,
  engine: Engine,
  options: pulumi.ResourceOptions,
): docker.Provider {
  const { host = "", context = "", place } = engine;
  const sshOpts = (place?.ssh ?? []).flatMap((option) => ["-o", option]);
  const certPath = place?.certPath === undefined ? "" : withHome(place.certPath);
  return new docker.Provider(name, { host, context, certPath, sshOpts }, options);
}

/**
 * Keeps what has Pulumi delete the resources of a lost engine without a word to it, as long as the settings name that
 * engine. Its provider is led to another engine, where none of its containers and volumes is: to the provider (5.2), what
 * isn't there is deleted. The Command that made its network gets nothing to do for its deletion.
 *
 * @param instead an engine that answers.
 * @param isEmpty whether nothing is left to be deleted; then all stays as it is.
 */
export function createLostParts(
  name: string,
  key: string,
  { instead, isEmpty }: { readonly instead: Engine; readonly isEmpty: boolean },
  parent: pulumi.Resource,
): void {
  const options = { parent, ...(isEmpty ? { ignoreChanges: ["*"] } : {}) };
  createProvider(`${name}${PROVIDER_INFIX}${key}`, instead, options);
  createNoNetwork(`${name}-network-${key}`, options);
}
