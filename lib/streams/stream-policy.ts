import { z } from "zod";
import type { Problem } from "../base/errors.ts";
import type { NodePlace } from "../topology/topology.ts";

/** Where a stream's leader should be, in the model's words. What is given must all hold. */
export interface LeaderSettings {
  readonly region?: string;
  readonly zone?: string;
  readonly node?: string;
}

/** What a stream's settings say beside its config: how an `up` may deal with it. None of it reaches nats-server. */
export interface PolicySettings {
  readonly leader?: LeaderSettings;
  /** Take up a stream of that name which is there already, and give it these settings. @default false */
  readonly adopt?: boolean;
  /**
   * Messages may be deleted where a change, or the removal of the stream, can't be without; those in memory also by
   * restarts. @default false
   */
  readonly allowDataLoss?: boolean;
  /** Make the stream anew where the server can't change it, and keep its messages by way of a copy. */
  readonly recreate?: "viaBackup";
}

/** The same for the provider: what is off is absent. */
export interface StreamPolicy {
  /** The hosts that may lead; absent: all of them. */
  readonly leaders?: readonly string[];
  readonly adopt?: true;
  readonly allowDataLoss?: true;
  readonly recreate?: "viaBackup";
}

/** The settings by name, for the schema of a stream. */
export const POLICY_SHAPE = {
  leader: z
    .strictObject({
      region: z.string().optional().describe("Name of a region."),
      zone: z.string().optional().describe("Name of an availability zone."),
      node: z.string().optional().describe("Name of a node, e.g. `rg1-az1`."),
    })
    .refine((leader) => Object.keys(leader).length > 0, {
      error: "says nothing; use region, zone or node",
    })
    .meta({
      title: "Leader",
      description: "Where a leader should be: all that is given must hold.",
    })
    .optional()
    .describe("Where the leader should be. Default: any replica."),
  adopt: z
    .boolean()
    .optional()
    .describe(
      "Take up a stream of that name that is there, and give it these settings. Default: `false`.",
    ),
  allowDataLoss: z
    .boolean()
    .optional()
    .describe(
      "Messages may be deleted where a change, or the stream's removal, can't be without; those in memory also by restarts. Default: `false`.",
    ),
  recreate: z
    .literal("viaBackup", { error: 'must be "viaBackup"' })
    .optional()
    .describe(
      "Make the stream anew where the server can't change it, and keep its messages by way of a copy. Default: never.",
    ),
} as const;

/**
 * Turns the settings into what the provider goes by.
 *
 * @param hosts where the stream's replicas may be.
 * @returns problems with paths below the stream's.
 */
export function compilePolicy(
  { leader, adopt, allowDataLoss, recreate }: PolicySettings,
  hosts: readonly string[],
  places: readonly NodePlace[],
): { readonly policy: StreamPolicy; readonly problems: readonly Problem[] } {
  const flags = {
    ...(adopt ? { adopt } : {}),
    ...(allowDataLoss ? { allowDataLoss } : {}),
    ...(recreate ? { recreate } : {}),
  };
  if (!leader) return { policy: flags, problems: [] };
  const leaders = places
    .filter(({ name, region, zone }) =>
      Object.entries(leader).every(
        ([key, wanted]) => ({ node: name, region, zone })[key] === wanted,
      ),
    )
    .map(({ name }) => name)
    .filter((name) => hosts.includes(name));
  if (leaders.length > 0) return { policy: { ...flags, leaders }, problems: [] };
  const asked = Object.entries(leader).map(([key, name]) => `${key} ${name}`);
  const message = `none of its replicas is in ${asked.join(", ")}`;
  return {
    policy: flags,
    problems: [{ path: "leader", message, fix: `its replicas are on ${hosts.join(", ")}` }],
  };
}
