import type * as pulumi from "@pulumi/pulumi";

/** The value of an output; never where a preview can't know it. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** The same, undefined where a preview can't know it. The SDK (3.259) keeps to itself whether it can. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const { isKnown } = output as unknown as { readonly isKnown: Promise<boolean> };
  return (await isKnown) ? await promiseOf(output) : undefined;
}
