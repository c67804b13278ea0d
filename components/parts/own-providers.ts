import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

type MakeProvider = (name: string, opts: pulumi.ResourceOptions) => pulumi.ProviderResource;

class DynamicProvider extends pulumi.ProviderResource {
  constructor(name: string, opts: pulumi.ResourceOptions) {
    super("pulumi-nodejs", name, {}, opts);
  }
}

/** By the packages that a cluster's resources are of. */
const PROVIDERS: Readonly<Record<string, MakeProvider>> = {
  docker: (name, opts) => new docker.Provider(name, {}, opts),
  command: (name, opts) => new command.Provider(name, {}, opts),
  "pulumi-nodejs": (name, opts) => new DynamicProvider(name, opts),
};

const own = new WeakSet<pulumi.ProviderResource>();

/** Whether a provider is one that {@link withOwnProviders} made. */
export function isOwn(provider: pulumi.ProviderResource): boolean {
  return own.has(provider);
}

/**
 * Makes what Pulumi's default providers would be, where the stack's config has those disabled
 * (`pulumi:disable-default-providers`): nobody else can name any, as they have to be on the engine of the cluster's commands.
 */
export function withOwnProviders(
  name: string,
  opts: pulumi.ComponentResourceOptions,
): pulumi.ComponentResourceOptions {
  const { parent } = opts;
  const config = new pulumi.Config("pulumi");
  const disabled = config.getObject<readonly string[]>("disable-default-providers") ?? [];
  const made = Object.entries(PROVIDERS).flatMap(([kind, make]) => {
    const isMissing = parent?.getProvider(`${kind}:index:Any`) === undefined;
    const isNeeded = isMissing && ["*", kind].some((each) => disabled.includes(each));
    return isNeeded ? [make(`${name}-${kind}`, parent ? { parent } : {})] : [];
  });
  for (const provider of made) own.add(provider);
  return made.length === 0 ? opts : pulumi.mergeOptions({ providers: made }, opts);
}
