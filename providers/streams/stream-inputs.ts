import type { Fleet } from "../../lib/placement/placement.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import type { Goal } from "./converge.ts";

/** By what a stream is known to Pulumi and to the servers. */
export interface StreamIdentity {
  readonly stream: string;
  readonly account: string;
}

/** What the program passes. */
export interface ProgramInputs extends StreamIdentity {
  readonly config: StreamConfig;
  readonly policy: StreamPolicy;
  readonly fleet: Fleet;
}

/** What `check` makes of it, and the state keeps. */
export interface StreamInputs extends StreamIdentity, Goal {
  /** The last `up` set out to make something else of it, and didn't come to an end: not kept in the state. */
  readonly unfinished?: true;
}

export interface StreamOutputs extends Omit<StreamInputs, "unfinished"> {
  readonly leader: string;
  /** The hosts that hold a replica, the leader's among them, sorted. */
  readonly replicas: readonly string[];
  /** RFC 3339. */
  readonly created: string;
}

/** What is wrong with a stream's inputs, and what people should know although nothing is. */
export interface CheckVerdict {
  readonly refusals: readonly string[];
  readonly notices: readonly string[];
}
