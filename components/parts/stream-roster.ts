import * as pulumi from "@pulumi/pulumi";
import type { RosterInputs } from "../../providers/streams/roster-lifecycle.ts";
import { providerText } from "../dynamic.ts";
import type { JetStreamProvider } from "./jetstream-provider.ts";

export type StreamRosterArgs = {
  readonly [Key in keyof RosterInputs]: pulumi.Input<RosterInputs[Key] | undefined>;
};

/**
 * Remembers which streams there are, so that a preview can tell what Pulumi tells no provider of: that a
 * stream which holds messages is to be deleted, or an account with streams, which it refuses.
 */
export class StreamRoster extends pulumi.CustomResource {
  constructor(
    name: string,
    args: StreamRosterArgs,
    opts: pulumi.CustomResourceOptions & { readonly provider: JetStreamProvider },
  ) {
    super("pulumi-nodejs:dynamic/nats:StreamRoster", name, { ...args, __provider: PROVIDER }, opts);
  }
}

const PROVIDER = providerText("roster", "rosterProvider");
