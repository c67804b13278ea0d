import { labelFlags, type Ownership } from "./ownership.ts";

/** A cluster's network on an engine. */
export interface NetworkSpec {
  readonly name: string;
  /** See `ClusterPlan`. */
  readonly ipv6Subnet?: string;
}

/** Flags of `docker network create`. */
export function networkFlags(
  { ipv6Subnet }: NetworkSpec,
  labels: Ownership["labels"],
): readonly string[] {
  // Docker before 27 doesn't choose a subnet of IPv6 by itself.
  const ipv6 = ipv6Subnet === undefined ? [] : ["--ipv6", `--subnet=${ipv6Subnet}`];
  return [...labelFlags(labels), ...ipv6];
}

export function networkSpecOf({
  prefix: name,
  ipv6Subnet,
}: {
  readonly prefix: string;
  readonly ipv6Subnet?: string;
}): NetworkSpec {
  return { name, ...(ipv6Subnet === undefined ? {} : { ipv6Subnet }) };
}
