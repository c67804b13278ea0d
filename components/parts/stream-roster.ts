import * as pulumi from "@pulumi/pulumi";
import type { RosterInputs } from "../../providers/streams/roster-lifecycle.ts";
import { providerText } from "../dynamic.ts";
import type { JetStreamProvider } from "./jetstream-provider.ts";

export type StreamRosterArgs = {
  readonly [Key in keyof RosterInputs]: pulumi.Input<RosterInputs[Key] | undefined>;
};

/**
 * Remembers the streams of the last update, so that a preview can refuse the deletion of a stream that holds messages,
 * or of an account with streams. Pulumi doesn't tell a provider of deletions during a preview.
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
