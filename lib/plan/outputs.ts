import { z } from "zod";

const streamOutput = z.object({
  /** Its name on the servers; absent where that is the name that it has here. */
  stream: z.string().optional(),
  /** Absent where an earlier version wrote it: the one account that there was. */
  account: z.string().optional(),
  /** Placement tags, in the order in which the server holds them. */
  tags: z.array(z.string()),
  /** Server that leads the stream, as of the last `up` or `refresh`. */
  leader: z.string(),
  /** Servers that hold a replica, sorted by name. */
  replicas: z.array(z.string()),
});

const stackOutputs = z
  .object({
    /** URL for clients of each node, by node name. */
    clientUrls: z.record(z.string(), z.string()),
    /** URL of the monitoring pages of each node, by node name. */
    monitoringUrls: z.record(z.string(), z.string()),
    /** PEM of the authorities that certify the nodes; null without TLS. */
    caCertificate: z.string().nullish(),
    /** What became of each stream, by the name that it has in the settings. */
    streams: z.record(z.string(), streamOutput),
  })
  .transform(({ caCertificate, ...outputs }) => ({
    ...outputs,
    ...(caCertificate ? { caCertificate } : {}),
  }));

/** Where a stream lives, as the stack's outputs show it. */
export type StreamOutput = z.output<typeof streamOutput>;

/** What `pulumi stack output --json` prints. */
export type StackOutputs = z.output<typeof stackOutputs>;

/** The nodes as their monitoring pages are asked: name, URL, and whom to take for one. */
export function monitorsOf({
  monitoringUrls,
  caCertificate,
}: Pick<StackOutputs, "monitoringUrls" | "caCertificate">) {
  const trust = caCertificate === undefined ? {} : { ca: caCertificate };
  return Object.entries(monitoringUrls).map(([name, url]) => ({ name, url, ...trust }));
}

/** Reads what `pulumi stack output --json` printed. Throws where it isn't this project's outputs. */
export function parseStackOutputs(json: string): StackOutputs {
  return stackOutputs.parse(JSON.parse(json));
}
