/**
 * What `pulumi.dynamic.Resource` would make of a provider object, written by hand: a CommonJS module that
 * the dynamic provider's process evaluates (@pulumi/pulumi/cmd/dynamic-provider) and that finds the object
 * in a module of `providers/`. Serializing an object costs 0.4 s a run, and its text depends on how
 * TypeScript was compiled; this text never changes, so neither does `__provider` in the state, and code
 * changes show no diff. It is short, as the state holds it twice for each resource. It finds the file from
 * the working directory, which is the program's; node strips the types. It captures nothing, least of all a
 * secret.
 *
 * @param file path from the project's folder
 * @param name what the file exports its provider as
 */
export function providerText(file: string, name: string): string {
  return `exports.handler = () => require(require("node:path").resolve("${file}")).${name};`;
}
