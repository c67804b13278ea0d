/** A module of `nats-regions/providers`, which the dynamic provider's process loads. */
type ProviderModule = "stream" | "consumer" | "bucket-entries" | "roster" | "certificates";

/**
 * The value of `__provider` for a dynamic resource: a CommonJS module that the dynamic provider's process evaluates
 * (@pulumi/pulumi/cmd/dynamic-provider), and that loads the provider object from a module of `providers/`.
 *
 * `pulumi.dynamic.Resource` would serialize the object instead. That costs 0.4 s a run, and its text depends on how
 * TypeScript was compiled. This text never changes, so `__provider` in the state doesn't either, and code changes show
 * no diff. The state holds the text twice for each resource, so it is short. It finds the package by its name from the
 * working directory, which is the program's, as the program's own imports do. Each provider has its own module, because
 * the module for certificates takes as long to load as everything that streams need. The text captures nothing, and so
 * no secret.
 *
 * @param name name of the module's export.
 */
export function providerText(module: ProviderModule, name: string): string {
  return `exports.handler = () => require("node:module").createRequire(process.cwd() + "/")("nats-regions/providers/${module}").${name};`;
}
