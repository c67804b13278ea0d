import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

type MakeProvider = (name: string, opts: pulumi.ResourceOptions) => pulumi.ProviderResource;

class DynamicProvider extends pulumi.ProviderResource {
  constructor(name: string, opts: pulumi.ResourceOptions) {
    super("pulumi-nodejs", name, {}, opts);
  }
}

/** By the packages of a cluster's resources. */
const PROVIDERS: Readonly<Record<string, MakeProvider>> = {
  docker: (name, opts) => new docker.Provider(name, {}, opts),
  command: (name, opts) => new command.Provider(name, {}, opts),
  "pulumi-nodejs": (name, opts) => new DynamicProvider(name, opts),
};

const own = new WeakSet<pulumi.ProviderResource>();

/** Whether {@link withOwnProviders} created a provider. */
export function isOwn(provider: pulumi.ProviderResource): boolean {
  return own.has(provider);
}

/**
 * Creates explicit providers in place of Pulumi's default ones if the stack's config disables those
 * (`pulumi:disable-default-providers`). Users can't pass any, because they have to use the same engine as the cluster's
 * commands.
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
