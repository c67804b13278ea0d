import type * as pulumi from "@pulumi/pulumi";

/** The value of an output. Never resolves if a preview can't know it. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** The value of an output; undefined if a preview can't know it. The SDK (3.259) doesn't publish `isKnown`. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const { isKnown } = output as unknown as { readonly isKnown: Promise<boolean> };
  return (await isKnown) ? await promiseOf(output) : undefined;
}
