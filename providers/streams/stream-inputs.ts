import type { Fleet } from "../../lib/placement/placement.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import { UNKNOWN } from "../process/unknown.ts";
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

/**
 * {@link ProgramInputs} as the resource has them. Each stream has the same fleet, and Pulumi hands a map on value by
 * value, so that it is a text: JSON.
 */
export interface ResourceInputs extends Omit<ProgramInputs, "fleet"> {
  readonly fleet: string;
}

const UNKNOWN_FLEET: Fleet = { cluster: UNKNOWN, uniqueTag: UNKNOWN, servers: [] };
let last: { readonly text: string; readonly fleet: Fleet } = {
  text: UNKNOWN,
  fleet: UNKNOWN_FLEET,
};

export function readResourceInputs({ fleet: text, ...inputs }: ResourceInputs): ProgramInputs {
  if (last.text !== text) {
    last = { text, fleet: text === UNKNOWN ? UNKNOWN_FLEET : JSON.parse(text) };
  }
  return { ...inputs, fleet: last.fleet };
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
