import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { NatsCluster } from "nats-regions";

interface LinkArgs {
  /** The cluster with the stream. */
  origin: NatsCluster;
  /** The cluster with the mirror. */
  copy: NatsCluster;
  /** Of both clusters. */
  user: string;
  password: pulumi.Input<string>;
}

/** A nats-server in the networks of two clusters, a leaf node of both: what one asks of the other passes through it. */
export class Link extends pulumi.ComponentResource {
  constructor(name: string, { origin, copy, user, password }: LinkArgs) {
    super("example:index:Link", name);
    const image = new docker.RemoteImage(
      name,
      { name: "nats:2.15.2", keepLocally: true },
      { parent: this },
    );
    const remotes = pulumi
      .all([origin.leafNodeUrls, copy.leafNodeUrls, password])
      .apply(([originUrls, copyUrls, password]) => {
        const login = (url: string) =>
          url.replace("//", `//${user}:${encodeURIComponent(password)}@`);
        return [
          // Any node of the origin will do, as it asks the others.
          { urls: Object.values(originUrls).map(login) },
          // Each node of the copy asks by itself, as a server does whose hub the leaf node is.
          ...Object.values(copyUrls).map((url) => ({ url: login(url), hub: true })),
        ];
      });
    // It has no clients of its own: they would need no password.
    const conf = { listen: "127.0.0.1:4222", leafnodes: { remotes } };
    new docker.Container(
      name,
      {
        image: image.name,
        command: ["-c", "/link.conf"],
        uploads: [{ file: "/link.conf", content: pulumi.jsonStringify(conf) }],
        networksAdvanced: [{ name: origin.networkName }, { name: copy.networkName }],
        restart: "unless-stopped",
      },
      { parent: this },
    );
  }
}
