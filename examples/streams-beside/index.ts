import * as pulumi from "@pulumi/pulumi";
import { NatsCluster } from "nats-regions";
import { teamStreams } from "./team-streams.ts";

const config = new pulumi.Config();

const cluster = new NatsCluster("c1", {
  regions: ["rg1"],
  systemPassword: config.requireSecret("systemPassword"),
  account: "SHOP",
  accounts: {
    SHOP: { users: { shop: { password: config.requireSecret("shopPassword") } } },
    BILLING: { users: { billing: { password: config.requireSecret("billingPassword") } } },
  },
});

teamStreams("shop", cluster);
teamStreams("billing", cluster);

export const { clientUrls, placements } = cluster;
