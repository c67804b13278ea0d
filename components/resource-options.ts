import * as pulumi from "@pulumi/pulumi";

type Dependencies = pulumi.ResourceOptions["dependsOn"];

/** Dependencies as one, in whichever of the forms that Pulumi takes each is given. */
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

/**
 * Refuses what can't be honoured.
 *
 * @throws pulumi.RunError
 */
export function refuseOptions(
  name: string,
  cluster: pulumi.ComponentResource,
  { ignoreChanges }: pulumi.ComponentResourceOptions,
): void {
  if (ignoreChanges && ignoreChanges.length > 0) {
    throw new pulumi.RunError(
      `NatsCluster ${name}: ignoreChanges: ${ignoreChanges.join(", ")}: what is planned and what runs would differ for good; leave the settings as they are instead.`,
    );
  }
  for (const kind of ["docker", "command"]) {
    if (cluster.getProvider(`${kind}:index:Any`) === undefined) continue;
    throw new pulumi.RunError(
      `NatsCluster ${name}: providers: a ${kind} provider would be on another engine than the commands that the cluster runs beside it.\nLeave it out, and name the engine by DOCKER_HOST.`,
    );
  }
}
