import type { Fleet } from "../../lib/placement/placement.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import type { Goal } from "./converge.ts";

/** What identifies a stream on the servers. */
export interface StreamIdentity {
  readonly stream: string;
  readonly account: string;
}

/** The program's inputs. */
export interface ProgramInputs extends StreamIdentity {
  readonly config: StreamConfig;
  readonly policy: StreamPolicy;
  readonly fleet: Fleet;
}

/** The inputs after `check`, as the state keeps them. */
export interface StreamInputs extends StreamIdentity, Goal {
  /** Set if the last `up` set out to change the stream and didn't finish. Not kept in the state. */
  readonly unfinished?: true;
}

export interface StreamOutputs extends Omit<StreamInputs, "unfinished"> {
  readonly leader: string;
  /** The hosts that hold a replica, the leader's among them, sorted. */
  readonly replicas: readonly string[];
  /** RFC 3339. */
  readonly created: string;
}

/** Problems with a stream's inputs, and notices for the user. */
export interface CheckVerdict {
  readonly refusals: readonly string[];
  readonly notices: readonly string[];
}
