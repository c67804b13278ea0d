import type { ConsumerPolicy } from "../../lib/consumers/consumer-config.ts";
import type { ConsumerConfig } from "../../lib/consumers/consumer-fields.ts";

/** What identifies a consumer on the servers. */
export interface ConsumerIdentity {
  readonly account: string;
  readonly stream: string;
  readonly consumer: string;
}

/** The inputs, as the program gives them and as the state keeps them. */
export interface ConsumerInputs extends ConsumerIdentity {
  readonly config: ConsumerConfig;
  readonly policy: ConsumerPolicy;
}

export interface ConsumerOutputs extends ConsumerInputs {
  readonly leader: string;
  /** The hosts that know where it stands, the leader among them, sorted. */
  readonly replicas: readonly string[];
  /** RFC 3339. */
  readonly created: string;
}

/** Names a consumer for users, e.g. `consumer worker of stream ORDERS`. */
export function nameOf({ stream, consumer }: ConsumerIdentity): string {
  return `consumer ${consumer} of stream ${stream}`;
}

/** The parts of the outputs that the program gave. */
export function inputsOf(props: ConsumerOutputs): ConsumerInputs {
  const { leader: _leader, replicas: _replicas, created: _created, ...inputs } = props;
  return inputs;
}
