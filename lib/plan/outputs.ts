import { z } from "zod";

const consumerOutput = z.object({
  /** The consumer's leader, as of the last `up` or `refresh`. */
  leader: z.string(),
  /** Servers that know where it stands, sorted by name. */
  replicas: z.array(z.string()),
});

const streamOutput = z.object({
  /** Its name on the servers. Absent: its key in the outputs. */
  stream: z.string().optional(),
  /** Absent in outputs of an earlier version, which had only one account. */
  account: z.string().optional(),
  /** Placement tags, in the server's order. */
  tags: z.array(z.string()),
  /** The stream's leader, as of the last `up` or `refresh`. */
  leader: z.string(),
  /** Servers that have a replica, sorted by name. */
  replicas: z.array(z.string()),
  /** The consumers in the settings, by name; absent if there are none. */
  consumers: z.record(z.string(), consumerOutput).optional(),
});

const stackOutputs = z
  .object({
    /** URL for clients of each node, by node name. */
    clientUrls: z.record(z.string(), z.string()),
    /** URL of the monitoring pages of each node, by node name; empty if they have none. */
    monitoringUrls: z.record(z.string(), z.string()),
    /** URLs of listeners of each node, by node name; absent in outputs of an earlier version. */
    websocketUrls: z.record(z.string(), z.string()).optional(),
    mqttUrls: z.record(z.string(), z.string()).optional(),
    publishedLeafNodeUrls: z.record(z.string(), z.string()).optional(),
    /** PEM of the authorities that certify the nodes; null without TLS. */
    caCertificate: z.string().nullish(),
    /** The streams by their keys in the settings. */
    streams: z.record(z.string(), streamOutput),
  })
  .transform(({ caCertificate, ...outputs }) => ({
    ...outputs,
    ...(caCertificate ? { caCertificate } : {}),
  }));

/** A stream in the stack's outputs. */
export type StreamOutput = z.output<typeof streamOutput>;

/** The outputs of `pulumi stack output --json`. */
export type StackOutputs = z.output<typeof stackOutputs>;

/** Each node with the address of its client port, and what else it takes to ask it without its seed. */
export function monitorsOf({
  clientUrls,
  monitoringUrls,
  caCertificate,
}: Pick<StackOutputs, "clientUrls" | "monitoringUrls" | "caCertificate">) {
  const trust = caCertificate === undefined ? {} : { ca: caCertificate };
  return Object.entries(clientUrls).map(([name, clientUrl]) => {
    const url = monitoringUrls[name];
    const pages = url === undefined ? {} : { url };
    return { name, address: new URL(clientUrl).host, ...pages, ...trust };
  });
}

/** Parses the output of `pulumi stack output --json`. Throws if it isn't of this project. */
export function parseStackOutputs(json: string): StackOutputs {
  return stackOutputs.parse(JSON.parse(json));
}
