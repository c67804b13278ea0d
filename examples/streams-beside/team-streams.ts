import { type NatsCluster, Stream } from "nats-regions";

/** What every team gets: streams ORDERS and AUDIT in an account of its own. */
export function teamStreams(team: string, cluster: NatsCluster) {
  const account = team.toUpperCase();
  const common = { cluster, account, replicas: 3 };
  // The first name is Pulumi's, `stream` is the one on the servers, where each account may have it.
  new Stream(`${team}-orders`, { ...common, stream: "ORDERS", subjects: ["orders.*"] });
  new Stream(`${team}-audit`, { ...common, stream: "AUDIT", subjects: ["audit.>"], maxAge: "30d" });
}
