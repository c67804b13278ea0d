import { z } from "zod";
import type { Problem } from "../base/errors.ts";
import type { NodePlace } from "../topology/topology.ts";

/** Where a stream's leader should be. All given conditions must hold. */
export interface LeaderSettings {
  readonly region?: string;
  readonly zone?: string;
  readonly node?: string;
}

/** Settings of a stream besides its config: what an `up` may do with it. nats-server gets none of them. */
export interface PolicySettings {
  readonly leader?: LeaderSettings;
  /** Whether to adopt an existing stream of that name and update it to these settings. @default false */
  readonly adopt?: boolean;
  /**
   * Whether messages may be lost: by changes or a removal that delete them, and by restarts if the stream is in memory.
   *
   * @default false
   */
  readonly allowDataLoss?: boolean;
  /** Delete and create the stream again if the server refuses a change; a copy keeps its messages. Default: never. */
  readonly recreate?: "viaBackup";
}

/** The policy as the provider gets it. An absent field means no. */
export interface StreamPolicy {
  /** The hosts that may lead. Absent: all. */
  readonly leaders?: readonly string[];
  readonly adopt?: true;
  readonly allowDataLoss?: true;
  readonly recreate?: "viaBackup";
  /** What the settings have it as, whose words messages use. Absent: a stream. */
  readonly declaredAs?: "bucket" | "objectStore";
}

/** Schemas of the policy's settings by name, part of a stream's schema. */
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
      "Adopt a stream of that name that is there: it gets these settings and keeps its messages. Default: `false`.",
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
      "Recreate the stream where the server can't change it, and keep its messages by way of a copy. Default: never.",
    ),
} as const;

/**
 * Converts policy settings to the provider's policy.
 *
 * @param hosts hosts that may have a replica of the stream; empty if nobody knows them.
 * @returns the policy, and problems whose paths are relative to the stream.
 */
export function compilePolicy(
  { leader, adopt, allowDataLoss, recreate }: PolicySettings,
  hosts: readonly string[],
  places: readonly Pick<NodePlace, "name" | "region" | "zone">[],
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
    .filter((name) => hosts.length === 0 || hosts.includes(name));
  if (leaders.length > 0) return { policy: { ...flags, leaders }, problems: [] };
  const asked = Object.entries(leader).map(([key, name]) => `${key} ${name}`);
  const message = `none of its replicas is in ${asked.join(", ")}`;
  return {
    policy: flags,
    problems: [{ path: "leader", message, fix: `its replicas are on ${hosts.join(", ")}` }],
  };
}
