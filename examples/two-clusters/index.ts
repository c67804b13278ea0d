import * as pulumi from "@pulumi/pulumi";
import { NatsCluster } from "nats-regions";
import { Link } from "./link.ts";

const config = new pulumi.Config();
const linkPassword = config.requireSecret("linkPassword");
const common = {
  regions: ["rg1"],
  leafNodes: true,
  systemPassword: config.requireSecret("systemPassword"),
  password: config.requireSecret("password"),
};

const west = new NatsCluster("west", {
  ...common,
  accounts: {
    // What the link has of west: it may ask for a consumer of ORDERS, and gets what that delivers.
    APP: {
      exports: [
        { service: "$JS.API.CONSUMER.CREATE.ORDERS" },
        { service: "$JS.FC.ORDERS.>" },
        { stream: "deliver.west.>" },
      ],
    },
    LINK: {
      jetStream: false,
      users: { link: { password: linkPassword } },
      imports: [
        {
          service: { account: "APP", subject: "$JS.API.CONSUMER.CREATE.ORDERS" },
          to: "JS.west.API.CONSUMER.CREATE.ORDERS",
        },
        { service: { account: "APP", subject: "$JS.FC.ORDERS.>" } },
        { stream: { account: "APP", subject: "deliver.west.>" } },
      ],
    },
  },
  streams: { ORDERS: { subjects: ["orders.*"], replicas: 3 } },
});

const east = new NatsCluster("east", {
  ...common,
  accounts: { APP: { users: { link: { password: linkPassword } } } },
  streams: {
    ORDERS: {
      replicas: 3,
      mirror: { name: "ORDERS", external: { api: "JS.west.API", deliver: "deliver.west" } },
    },
  },
});

new Link("link", { origin: west, copy: east, user: "link", password: linkPassword });

export const westUrls = west.clientUrls;
export const eastUrls = east.clientUrls;
