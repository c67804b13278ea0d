import * as pulumi from "@pulumi/pulumi";
import { isOwn } from "./parts/own-providers.ts";

type Dependencies = pulumi.ResourceOptions["dependsOn"];

/** Merges dependencies, each in any form that Pulumi accepts. */
export function allOf(...each: readonly Dependencies[]): pulumi.Output<pulumi.Resource[]> {
  return pulumi
    .output(each)
    .apply((given) => given.flat().filter((resource) => resource !== undefined));
}

/**
 * The options of a component whose children do the work. Pulumi (3.259) hands `parent`, `protect`, `aliases` and providers
 * down to them by itself; `dependsOn`, `deletedWith` and `retainOnDelete` are handed down here.
 */
export function handedDown(opts: pulumi.ComponentResourceOptions): pulumi.ComponentResourceOptions {
  const { dependsOn, deletedWith, retainOnDelete } = opts;
  if (dependsOn === undefined && deletedWith === undefined && retainOnDelete === undefined) {
    return opts;
  }
  const after = allOf(dependsOn);
  const handDown: pulumi.ResourceTransformation = ({ resource, props, opts: own }) => {
    const isComponent = resource instanceof pulumi.ComponentResource;
    return {
      props,
      opts: {
        ...own,
        ...(isComponent || dependsOn === undefined
          ? {}
          : { dependsOn: allOf(after, own.dependsOn) }),
        ...(own.deletedWith || deletedWith === undefined ? {} : { deletedWith }),
        ...(retainOnDelete ? { retainOnDelete } : {}),
      },
    };
  };
  return { ...opts, transformations: [...(opts.transformations ?? []), handDown] };
}

type Option = Exclude<
  keyof (pulumi.CustomResourceOptions & pulumi.ComponentResourceOptions),
  "provider"
>;

/** Why each unsupported option is refused. */
type Reasons = { readonly [Name in Option]?: string };

const STAYS_AS_PLANNED =
  "what is planned and what runs would differ for good; leave the settings as they are instead.";

/** Of a cluster's options. */
export const CLUSTER_REASONS: Reasons = {
  ignoreChanges: STAYS_AS_PLANNED,
  replaceOnChanges:
    "nodes are replaced zone by zone where a setting needs it, and data volumes never; leave it out.",
  replacementTrigger: "a cluster is never replaced as a whole; leave it out.",
  customTimeouts:
    "a stream's move takes as long as its data needs; `patience` is the time without progress after which an update fails.",
  import: "a cluster that Pulumi didn't create can't be imported; leave it out.",
};

/** Of the options of a cluster that others run. */
export const EXISTING_REASONS: Reasons = {
  ignoreChanges: STAYS_AS_PLANNED,
  replaceOnChanges: "its servers are others', and so nothing of it is replaced; leave it out.",
  replacementTrigger: "its servers are others', and so nothing of it is replaced; leave it out.",
  customTimeouts:
    "a stream's move takes as long as its data needs; `patience` is the time without progress after which an update fails.",
  import: "it is there by its args alone; `adopt: true` adopts a stream of it.",
};

/** Of a stream's options. */
export const STREAM_REASONS: Reasons = {
  ignoreChanges: STAYS_AS_PLANNED,
  replaceOnChanges:
    "a stream is changed in place, and loses messages only where its settings allow it; leave it out.",
  replacementTrigger:
    "a stream is changed in place, and loses messages only where its settings allow it; leave it out.",
  import: "`adopt: true` in its args adopts a stream that is there.",
};

/** Of a consumer's options. */
export const CONSUMER_REASONS: Reasons = {
  ignoreChanges: STAYS_AS_PLANNED,
  replaceOnChanges:
    "a consumer is changed in place, and made anew only where its settings allow it; leave it out.",
  replacementTrigger:
    "a consumer is changed in place, and made anew only where its settings allow it; leave it out.",
  import: "`adopt: true` in its args adopts a consumer that is there.",
};

function refuse(what: string, opts: pulumi.ResourceOptions, reasons: Reasons): void {
  const given = new Map<string, unknown>(Object.entries(opts));
  for (const [name, reason] of Object.entries(reasons)) {
    const value = given.get(name);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const shown = Array.isArray(value) ? ` ${value.join(", ")}:` : "";
    throw new pulumi.RunError(`${what}: ${name}:${shown} ${reason}`);
  }
}

/**
 * Refuses options that a cluster can't honour.
 *
 * @throws pulumi.RunError
 */
export function refuseClusterOptions(
  kind: ClusterKind,
  name: string,
  opts: pulumi.ComponentResourceOptions,
): void {
  refuse(`${kind} ${name}`, opts, kind === "NatsCluster" ? CLUSTER_REASONS : EXISTING_REASONS);
}

/** What a cluster's component is called. */
export type ClusterKind = "NatsCluster" | "ExistingCluster";

/** Refuses explicit docker and command providers, also those inherited from components around the cluster. */
export function refuseProviders(cluster: pulumi.ComponentResource): void {
  for (const kind of ["docker", "command"]) {
    const provider = cluster.getProvider(`${kind}:index:Any`);
    if (provider === undefined || isOwn(provider)) continue;
    throw new pulumi.RunError(
      `providers: a ${kind} provider would be on another engine than the commands that the cluster runs beside it.\nLeave it out, and name the engine by DOCKER_HOST; one that is inherited, from a component around the cluster, counts too.`,
    );
  }
}

/** Refuses options that a stream, a bucket or an object store can't honour. @param type e.g. `Stream`. */
export function refuseStreamOptions(
  type: string,
  name: string,
  opts: pulumi.CustomResourceOptions,
): void {
  if (opts.provider) {
    throw new pulumi.RunError(
      `${type} ${name}: provider: a stream is reached through its cluster; leave it out.`,
    );
  }
  refuse(`${type} ${name}`, opts, STREAM_REASONS);
}

/** Refuses options that a consumer can't honour. */
export function refuseConsumerOptions(name: string, opts: pulumi.CustomResourceOptions): void {
  if (opts.provider) {
    throw new pulumi.RunError(
      `Consumer ${name}: provider: a consumer is reached through its cluster; leave it out.`,
    );
  }
  refuse(`Consumer ${name}`, opts, CONSUMER_REASONS);
}
