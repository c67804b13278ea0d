/**
 * The environment variables by which Commands pass arguments to scripts. Each script picks its own and parses them
 * once. Engines are in ENGINES and FORMER_ENGINES, see `enginesFromEnvironment`.
 */
import { z } from "zod";
import { PATIENCE_MS } from "../lib/observed/waiting.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";

/** @param standard the default, JSON; without one the variable is required. */
function json<Schema extends z.ZodType>(schema: Schema, standard?: string) {
  const text = standard === undefined ? z.string() : z.string().default(standard);
  return text.transform((given): unknown => JSON.parse(given)).pipe(schema);
}

const nodeNames = json(z.array(z.string()), "[]");

const fleet = z.object({
  cluster: z.string(),
  uniqueTag: z.string(),
  servers: z.array(z.object({ name: z.string(), cluster: z.string(), tags: z.array(z.string()) })),
});

/** All variables. Values that aren't plain text are JSON. */
export const scriptVariables = z.object({
  /** Names of all accounts. */
  ACCOUNTS: json(z.array(z.string())),
  /** PEM of the authorities that certify nodes, if they have TLS. */
  CA: z.string().optional(),
  /** Name of the cluster in the program; absent if the stack's config has the settings. */
  CLUSTER: z.string().optional(),
  /** Name of a node's container. */
  CONTAINER: z.string().min(1),
  /** Streams whose messages may be lost with their cluster. */
  EXPENDABLE: json(z.array(z.object({ account: z.string(), name: z.string() })), "[]"),
  /** The remaining servers, as the planner sees them. */
  FLEET: json(fleet),
  /** Image of all nodes. */
  IMAGE: z.string(),
  /** Whether the volumes of nodes stay when the nodes are removed. */
  KEEPS_VOLUMES: z.stringbool().default(false),
  /** What the cluster lacked before nodes were restarted, see `lacksOf`: gates don't wait for it. */
  LACKED: json(z.array(z.string()), "[]"),
  /** Nodes of later waves. They may not exist yet. */
  LATER: nodeNames,
  /** Nodes whose machines are lost for good. */
  LOST_NODES: nodeNames,
  /** The command of Pulumi's CLI, if `npx pulumi` runs it. */
  NATS_REGIONS_COMMAND: z.string().optional(),
  /** Remaining nodes. */
  NODES: nodeNames,
  /** The stack's current organization. */
  ORGANIZATION: z.string(),
  /** Label of the stack's own objects, `label=value`. */
  OWNER: z.string().min(1),
  /** The setting `patience`, milliseconds. */
  PATIENCE: z.coerce.number().positive().default(PATIENCE_MS),
  PROJECT: z.string(),
  /** The new settings that only a restart changes: one object for each wave, values by node name. */
  SETTINGS: json(z.array(z.record(z.string(), z.string())), "[]"),
  /** Nodes of the wave before a gate, and of earlier ones. */
  SO_FAR: nodeNames,
  /** Where the settings are: in a program, or in the config of a stack. */
  SETTINGS_IN: z.enum(["program", "config"]).default("config"),
  STACK: z.string(),
  /** Name of the script's resource. */
  STEP: z.string(),
});

/** How to verify nodes. */
export type Trust = Pick<Monitor, "ca">;

/** @param ca see {@link scriptVariables}. */
export function trustOf(ca: string | undefined): Trust {
  return ca === undefined ? {} : { ca };
}
