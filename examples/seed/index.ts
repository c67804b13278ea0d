import * as pulumi from "@pulumi/pulumi";
import { NatsCluster } from "nats-regions";

const config = new pulumi.Config();

const cluster = new NatsCluster("c1", {
  regions: ["rg1", "rg2", "rg3"],
  availabilityZones: ["az1", "az2", "az3"],
  systemPassword: config.requireSecret("systemPassword"),
  password: config.requireSecret("password"),
  streams: {
    // Across the regions: one replica in each, in zone 1, 2 and 3.
    EVENTS: { subjects: ["events.*"], replicas: 3, placement: { tags: ["xr:123"] } },
    // In one region: one replica in each of its zones.
    ORDERS: { subjects: ["orders.*"], replicas: 3, placement: { tags: ["rg:2"] } },
  },
});

export const { clientUrls, placements } = cluster;
