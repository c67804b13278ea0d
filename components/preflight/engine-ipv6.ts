import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { type Engine, nothing, textField } from "../../live/engine/engine.ts";
import type { FoundNetwork } from "./engine-finds.ts";

/** The first version whose containers reach IPv6 addresses elsewhere, unless its daemon is told otherwise. */
const IPV6_SINCE = 27;

const VERSION = {
  version: textField(".Server.Version"),
  isExperimental: [".Server.Experimental", z.boolean()],
} as const;

/**
 * Refuses machines that are reached by IPv6, if nodes couldn't reach each other there: on an engine whose containers
 * have no way to IPv6 addresses of other machines, or in a network that was made without IPv6, which no network gets
 * later. A port that is published on an IPv6 address leads into a container in any case.
 *
 * @param networks on these engines.
 * @throws pulumi.RunError naming the way out.
 */
export async function refuseWithoutIpv6(
  engines: readonly Engine[],
  networks: readonly FoundNetwork[],
  { prefix, ipv6Subnet }: Pick<ClusterPlan, "prefix" | "ipv6Subnet">,
): Promise<void> {
  if (ipv6Subnet === undefined) return;
  const made = networks.filter(({ name, hasIpv6 }) => name === prefix && !hasIpv6);
  if (made.length > 0) {
    const keys = made.map(({ engine }) => engine.key).join(", ");
    throw new pulumi.RunError(
      `engines: machines have IPv6 addresses, and the network of the nodes on ${keys} was made without IPv6, which it can't get while they are in it.\nGive all machines IPv4 addresses, or host names that have one: set address of each of the engines; or make another stack, which can take over the streams as mirrors.`,
    );
  }
  const unable = await Promise.all(engines.map(whyUnable));
  const lines = unable.flatMap((line) => line ?? []);
  if (lines.length === 0) return;
  throw new pulumi.RunError(
    `engines: machines have IPv6 addresses, which nodes would not reach from their containers:\n${lines.join("\n")}\nUse Docker ${IPV6_SINCE} or newer, or put {"experimental": true, "ip6tables": true} into /etc/docker/daemon.json there and restart it; or give all machines IPv4 addresses.`,
  );
}

/** Docker before 27 gives containers a way by its experimental option `ip6tables`; of that, only `experimental` shows. */
async function whyUnable(engine: Engine): Promise<string | undefined> {
  const [found] = await engine.list(VERSION, "version").catch(nothing);
  if (!found || found.isExperimental) return undefined;
  const isOld = Number.parseInt(found.version, 10) < IPV6_SINCE;
  return isOld ? `  ${engine.key}: Docker ${found.version}, without ip6tables` : undefined;
}
