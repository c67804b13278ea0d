import * as pulumi from "@pulumi/pulumi";
import type { RegionPlan } from "../lib/plan/plan.ts";
import { AvailabilityZone } from "./availability-zone.ts";

export interface RegionArgs {
  readonly plan: RegionPlan;
}

/** A region: its availability zones, by name. */
export class Region extends pulumi.ComponentResource {
  /** The zones by name. */
  readonly zones: ReadonlyMap<string, AvailabilityZone>;

  constructor(name: string, { plan }: RegionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("nats-regions:index:Region", name, {}, opts);
    this.zones = new Map(
      plan.zones.map((zone) => [
        zone.name,
        new AvailabilityZone(`${name}-${zone.name}`, {}, { parent: this }),
      ]),
    );
    this.registerOutputs({ zones: [...this.zones.keys()] });
  }
}
