import * as pulumi from "@pulumi/pulumi";
import type { RosterEntry } from "../lib/stream-policy.ts";
import { providerText } from "./dynamic.ts";
import type { StreamOptions } from "./stream.ts";

export interface StreamRosterArgs {
  readonly account: string;
  /** The streams of the settings, by name. */
  readonly streams: Readonly<Record<string, RosterEntry>>;
}

/**
 * Remembers which streams there are, so that a preview can tell what Pulumi tells no provider of: that a
 * stream which holds messages is to be deleted, which it refuses, or that one has vanished.
 */
export class StreamRoster extends pulumi.CustomResource {
  constructor(name: string, args: StreamRosterArgs, opts: StreamOptions) {
    super("pulumi-nodejs:dynamic/nats:StreamRoster", name, { ...args, __provider: PROVIDER }, opts);
  }
}

const PROVIDER = providerText("providers/roster.ts", "rosterProvider");
