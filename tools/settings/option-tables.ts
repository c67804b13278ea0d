import {
  CLUSTER_REASONS,
  CONSUMER_REASONS,
  EXISTING_REASONS,
  STREAM_REASONS,
} from "../../components/resource-options.ts";
import { table } from "../documents/markdown.ts";

/** A Markdown table of Pulumi's options that a cluster, a stream or a consumer refuses, with the reasons that the errors give. */
export function refusedOptionsTable(): string {
  const clusters: [string, string][] = Object.entries(CLUSTER_REASONS);
  const others: [string, string][] = Object.entries(EXISTING_REASONS);
  const streams: [string, string][] = Object.entries(STREAM_REASONS);
  const consumers: [string, string][] = Object.entries(CONSUMER_REASONS);
  const rows = [
    ...clusters.map(([option, reason]) => ["`NatsCluster`", `\`${option}\``, sentence(reason)]),
    ...others.map(([option, reason]) => ["`ExistingCluster`", `\`${option}\``, sentence(reason)]),
    ...streams.map(([option, reason]) => ["`Stream`", `\`${option}\``, sentence(reason)]),
    ...consumers.map(([option, reason]) => ["`Consumer`", `\`${option}\``, sentence(reason)]),
  ];
  return table(["of", "option", "why, and what to do instead"], rows);
}

function sentence(reason: string): string {
  return reason.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
