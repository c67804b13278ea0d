/** What the package has for the dynamic provider's process, by its name below `nats-regions/providers`. */
type ProviderModule = "stream" | "roster" | "certificates";

/**
 * What `pulumi.dynamic.Resource` would make of a provider object, written by hand: a CommonJS module that
 * the dynamic provider's process evaluates (@pulumi/pulumi/cmd/dynamic-provider) and that finds the object
 * in a module of `providers/`. Serializing an object costs 0.4 s a run, and its text depends on how
 * TypeScript was compiled; this text never changes, so neither does `__provider` in the state, and code
 * changes show no diff. It is short, as the state holds it twice for each resource. It finds the package from the
 * working directory, which is the program's, by its name, as the program's own imports do. Module by module: one that
 * certifies takes as long to load as all that streams need. It captures nothing, least of all a secret.
 *
 * @param name what the module exports its provider as
 */
export function providerText(module: ProviderModule, name: string): string {
  return `exports.handler = () => require("node:module").createRequire(process.cwd() + "/")("nats-regions/providers/${module}").${name};`;
}
