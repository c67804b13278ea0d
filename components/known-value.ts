import * as pulumi from "@pulumi/pulumi";

/** The value of an output. Never resolves if a preview can't know it. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/**
 * The same value, known or not, but not as one that depends on a resource: it is no secret any more, and the state notes
 * no dependency. Whoever depends on something in the state must be registered after it, or an update with targets fails
 * (Pulumi 3.259, "Duplicate resource URN").
 */
export function independent<T>(output: pulumi.Output<T>): pulumi.Output<T> {
  const value = isKnown(output).then((known) => (known ? promiseOf(output) : pulumi.unknown));
  return pulumi.output(value) as pulumi.Output<T>;
}

/** Resolves once resources are there, or in a preview once they are planned. @throws Error if one of them failed. */
export async function allMade(resources: readonly pulumi.Resource[]): Promise<void> {
  // As the SDK (3.259) itself awaits what a resource depends on; it doesn't publish `promise`.
  const urns = resources.map(({ urn }) => urn as unknown as { promise(): Promise<string> });
  await Promise.all(urns.map((urn) => urn.promise()));
}

/** The value of an output; undefined if a preview can't know it. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  return (await isKnown(output)) ? await promiseOf(output) : undefined;
}

/** The SDK (3.259) doesn't publish it. */
async function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  return await (output as unknown as { readonly isKnown: Promise<boolean> }).isKnown;
}
