import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import type { Engine } from "../../live/engine/engine.ts";
import type { KeyPair } from "../../live/jetstream/connection.ts";
import type { Ownership } from "../ownership.ts";
import type { EngineState } from "../preflight/inspect-engine.ts";

/** What steps need: the plan, the owner, and what existed before. */
export interface StepArgs {
  readonly plan: ClusterPlan;
  readonly engines: readonly Engine[];
  readonly ownership: Ownership;
  readonly before: EngineState;
  /** PEM of the authorities that certify nodes; undefined if they have no TLS. */
  readonly caCertificate: pulumi.Output<string> | undefined;
  /** What the stack itself shows to nodes that ask clients for a certificate; undefined if they ask for none. */
  readonly ownPair: pulumi.Output<KeyPair> | undefined;
}
