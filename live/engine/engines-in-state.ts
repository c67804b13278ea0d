import { z } from "zod";
import type { StreamName } from "../../lib/streams/stream-name.ts";
import type { EnginePlace } from "./engine.ts";
import { enginePlaces } from "./told-engines.ts";

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  parent: z.string().optional(),
  provider: z.string().optional(),
  inputs: z.unknown().optional(),
});

const state = z.object({
  deployment: z
    .looseObject({
      resources: z.array(resource).default([]),
      pending_operations: z.array(z.looseObject({ resource })).nullish(),
    })
    .nullish(),
});

type Resource = z.output<typeof resource>;

const PROVIDER = "pulumi:providers:docker";
const provider = z.object({ host: z.string().optional(), context: z.string().optional() });
const named = z.object({ name: z.string() });
const hosting = z.object({ hostname: z.string() });
const STREAM = /^pulumi-nodejs:dynamic\/nats:(?:Stream|Bucket|ObjectStore)$/;
const streamInputs = z.object({ stream: z.string(), account: z.string() });
const script = z.object({
  environment: z.object({
    ENGINES: enginePlaces.optional(),
    FORMER_ENGINES: enginePlaces.optional(),
    NETWORK: z.string().optional(),
  }),
});

/**
 * The engines of the settings that a stack has containers or volumes on, also those that the settings no longer have:
 * those of its providers. Where their machines are is what its scripts are told.
 *
 * @param exported output of `pulumi stack export`.
 * @param cluster URN of the cluster whose engines are asked for. Default: the whole stack.
 */
export function enginePlacesIn(exported: unknown, cluster?: string): EnginePlace[] {
  const resources = resourcesIn(exported, cluster);
  const told = new Map(resources.flatMap(placesIn).map((place) => [place.host, place] as const));
  const used = new Set(resources.flatMap((each) => providerOf(each) ?? []));
  const hosts = resources
    .filter(({ type, urn }) => type === PROVIDER && used.has(urn))
    .map(({ inputs }) => hostIn(inputs));
  return [...new Set(hosts)].flatMap((host) => told.get(host ?? "") ?? []);
}

/**
 * The names of a stack's containers.
 *
 * @param cluster see {@link enginePlacesIn}.
 */
export function containersIn(exported: unknown, cluster?: string): ReadonlySet<string> {
  return new Set(containerNames(resourcesIn(exported, cluster)));
}

function containerNames(resources: readonly Resource[]): string[] {
  return resources.flatMap(({ type, inputs }) =>
    type.startsWith("docker:index/container:") ? (named.safeParse(inputs).data?.name ?? []) : [],
  );
}

/** What a stack has on one of the engines that its settings have, or had. */
export interface OnEngine {
  /** Names of the containers there. */
  readonly containers: readonly string[];
  /** Whether anything is left there that the engine's provider would delete. */
  readonly isEmpty: boolean;
}

/**
 * What a stack has on engines of the settings, by the keys of the engines, which are in the names of their providers: a
 * provider's host may have changed.
 *
 * @param prefix what the names of the providers begin with.
 * @param cluster see {@link enginePlacesIn}.
 */
export function partsByEngine(
  exported: unknown,
  prefix: string,
  cluster?: string,
): ReadonlyMap<string, OnEngine> {
  const resources = resourcesIn(exported, cluster);
  const keys = resources.flatMap(({ type, urn }) => {
    const name = urn.split("::").at(-1) ?? "";
    return type === PROVIDER && name.startsWith(prefix) ? [[name.slice(prefix.length), urn]] : [];
  }) as [key: string, urn: string][];
  return new Map(
    keys.map(([key, urn]) => {
      const own = resources.filter(({ provider: reference }) => reference?.startsWith(`${urn}::`));
      return [key, { containers: containerNames(own), isEmpty: own.length === 0 }];
    }),
  );
}

/**
 * The streams that a stack's state has.
 *
 * @param cluster see {@link enginePlacesIn}.
 */
export function streamsIn(exported: unknown, cluster?: string): StreamName[] {
  return resourcesIn(exported, cluster).flatMap(({ type, inputs }) => {
    const { data } = streamInputs.safeParse(inputs);
    return STREAM.test(type) && data ? [{ account: data.account, name: data.stream }] : [];
  });
}

/**
 * Whether a stack has containers or volumes on the engine that the environment chooses.
 *
 * @param cluster see {@link enginePlacesIn}.
 */
export function hasUnplacedIn(exported: unknown, cluster?: string): boolean {
  const resources = resourcesIn(exported, cluster);
  const placed = new Set(
    resources.flatMap(({ type, urn, inputs }) => {
      return type === PROVIDER && hostIn(inputs) !== undefined ? [urn] : [];
    }),
  );
  return resources.some((each) => {
    const used = providerOf(each);
    return used !== undefined && !placed.has(used);
  });
}

/** What a stack has on an engine of the settings. */
export interface Holdings {
  /** URNs of what its provider makes there, of the Commands that run there alone, and of that provider. */
  readonly urns: readonly string[];
  /** Names of the nodes that have a container there. */
  readonly nodes: readonly string[];
}

/**
 * What a stack has on an engine, without what an update was about to make as it was killed.
 *
 * @param exported output of `pulumi stack export`.
 * @param host of the engine.
 */
export function holdingsIn(exported: unknown, host: string): Holdings {
  const { resources = [] } = state.parse(exported).deployment ?? {};
  const providers = new Set(
    resources
      .filter(({ type, inputs }) => type === PROVIDER && hostIn(inputs) === host)
      .map(({ urn }) => urn),
  );
  const made = resources.filter(({ provider: by }) => providers.has(urnIn(by) ?? ""));
  const nodes = new Set(
    made.filter((each) => providerOf(each) !== undefined).flatMap(({ parent }) => parent ?? []),
  );
  // The script that writes a node's config is beside its container, and the network has an engine of its own.
  const run = resources.filter(({ parent = "", inputs }) => {
    const { ENGINES: [place] = [], NETWORK } = script.safeParse(inputs).data?.environment ?? {};
    return nodes.has(parent) || (NETWORK !== undefined && place?.host === host);
  });
  return {
    urns: [...new Set([...providers, ...[...made, ...run].map(({ urn }) => urn)])],
    nodes: made.flatMap(({ inputs }) => hosting.safeParse(inputs).data?.hostname ?? []).sort(),
  };
}

/** Those of a cluster, with those that an update was about to make as it was killed. */
function resourcesIn(exported: unknown, cluster: string | undefined): readonly Resource[] {
  const { resources = [], pending_operations: pending } = state.parse(exported).deployment ?? {};
  const all = [...resources, ...(pending ?? []).map((operation) => operation.resource)];
  if (cluster === undefined) return all;
  const parents = new Map(all.map(({ urn, parent }) => [urn, parent] as const));
  const isWithin = (urn: string | undefined): boolean =>
    urn === cluster || (urn !== undefined && isWithin(parents.get(urn)));
  return all.filter(({ urn }) => isWithin(urn));
}

/** The engine of a provider; undefined if the environment chooses it. */
function hostIn(inputs: unknown): string | undefined {
  const { host, context } = provider.parse(inputs ?? {});
  return host || context || undefined;
}

function placesIn({ inputs }: Resource): EnginePlace[] {
  const { data } = script.safeParse(inputs);
  return [...(data?.environment.FORMER_ENGINES ?? []), ...(data?.environment.ENGINES ?? [])];
}

/** The URN of the provider of a container or volume; its id follows it. */
function providerOf({ type, provider: reference }: Resource): string | undefined {
  const isKept = /^docker:index\/(container|volume):/.test(type);
  return isKept ? urnIn(reference) : undefined;
}

function urnIn(reference: string | undefined): string | undefined {
  return reference?.replace(/::[^:]*$/, "");
}
