/** What commands tell the scripts, as variables of the environment: each script picks what it is told, and reads it once. */
import { z } from "zod";
import { PATIENCE_MS } from "../lib/observed/waiting.ts";
import type { Monitor } from "../live/monitoring/monitoring.ts";

/** @param standard what counts where nothing is given. */
function json<Schema extends z.ZodType>(schema: Schema, standard?: string) {
  const text = standard === undefined ? z.string() : z.string().default(standard);
  return text.transform((given): unknown => JSON.parse(given)).pipe(schema);
}

/** Monitoring URLs of nodes by name. */
const monitoringUrls = json(z.record(z.string(), z.url()), "{}");

const fleet = z.object({
  cluster: z.string(),
  uniqueTag: z.string(),
  servers: z.array(z.object({ name: z.string(), cluster: z.string(), tags: z.array(z.string()) })),
});

/** All that scripts may be told. What is no text is JSON. */
export const given = z.object({
  /** Names of all accounts. */
  ACCOUNTS: json(z.array(z.string())),
  /** PEM of the authorities that certify nodes, where they have TLS. */
  CA: z.string().optional(),
  /** Which one of a stack's clusters; not there where it has one. */
  CLUSTER: z.string().optional(),
  /** Name of a node's container. */
  CONTAINER: z.string().min(1),
  /** Streams whose messages may be lost with their cluster. */
  EXPENDABLE: json(z.array(z.object({ account: z.string(), name: z.string() })), "[]"),
  /** The servers that stay, as the planner sees them. */
  FLEET: json(fleet),
  /** Image of all nodes. */
  IMAGE: z.string(),
  /** Whether the volumes of nodes outlive them. */
  KEEPS_VOLUMES: z.stringbool().default(false),
  /** What the cluster lacked before nodes were restarted, see `lacksOf`: no gate waits for it. */
  LACKED: json(z.array(z.string()), "[]"),
  /** Nodes of later waves, which need not exist yet. */
  LATER: monitoringUrls,
  /** Nodes of the wave before a gate, and of those before it. */
  MONITORS: monitoringUrls,
  /** The command of Pulumi's CLI, where `npx pulumi` runs it. */
  NATS_REGIONS_COMMAND: z.string().optional(),
  /** Nodes that stay. */
  NODES: monitoringUrls,
  /** What a stack is called now. */
  ORGANIZATION: z.string(),
  /** Label of the stack's own containers, `label=value`. */
  OWNER: z.string().min(1),
  /** Milliseconds after which waiting is given up if nothing has moved, where that was set. */
  PATIENCE: z.coerce.number().positive().default(PATIENCE_MS),
  PROJECT: z.string(),
  /** The settings to come that restart a node, by node, for each wave. */
  SETTINGS: json(z.array(z.record(z.string(), z.string())), "[]"),
  /** Where they stand: in a program, or in the config of a stack. */
  SETTINGS_IN: z.enum(["program", "config"]).default("config"),
  STACK: z.string(),
  /** Name of the resource whose script it is. */
  STEP: z.string(),
});

/** What nodes are to be asked with. */
export type Trust = Pick<Monitor, "ca">;

/** @param ca as in {@link given}. */
export function trustOf(ca: string | undefined): Trust {
  return ca === undefined ? {} : { ca };
}

/** Nodes by their URLs. */
export function monitorsAt(urls: Readonly<Record<string, string>>, trust: Trust): Monitor[] {
  return Object.entries(urls).map(([name, url]) => ({ name, url, ...trust }));
}
