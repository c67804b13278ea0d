import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { peerId } from "../../../lib/observed/meta-group.ts";
import { behindIn, observeCluster } from "../../../live/monitoring/observe-cluster.ts";

const UNHEARD = "Server name unknown at this time (peerID: x)";

const member = (node: string, more: object = {}) => ({
  name: node,
  peer: peerId(node),
  current: true,
  ...more,
});

/** A stream as a node shows it. */
const stream = (cluster: object, more: object = {}) => ({
  account_details: [
    {
      name: "APP",
      stream_detail: [
        {
          name: "S",
          cluster,
          config: { name: "S", num_replicas: 3, storage: "file" },
          state: { messages: 5, bytes: 50, last_seq: 100 },
          ...more,
        },
      ],
    },
  ],
});

describe("a cluster", () => {
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Nodes that answer with pages; one without a page doesn't answer. */
  const observe = async (pages: Readonly<Record<string, object | undefined>>) => {
    const monitors = await Promise.all(
      Object.entries(pages).map(async ([name, page]) => {
        const server = createServer((_, response) => {
          if (page) response.end(JSON.stringify(page));
        });
        servers.push(server);
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        return { name, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
      }),
    );
    return await observeCluster(monitors, 300);
  };

  test("is seen by its leaders' eyes, and by ids where they never heard a name", async () => {
    const { meta, streams, silent } = await observe({
      a: {
        meta_cluster: {
          leader: "a",
          cluster_size: 3,
          replicas: [member("b"), member("c", { name: UNHEARD, current: false, lag: 7 })],
        },
        ...stream({ leader: "b", replicas: [member("b", { current: false })] }),
      },
      b: stream({
        leader: "b",
        replicas: [member("a"), member("c", { name: "", current: false })],
      }),
      c: undefined,
    });
    expect(meta).toEqual({ leader: "a", hosts: ["a", "b", "c"], ill: ["c"], behind: 7 });
    expect(streams).toMatchObject([{ hosts: ["a", "b", "c"], leader: "b", ill: ["c"] }]);
    expect(silent).toEqual(["c"]);
  });

  test("has consumers that no page of the stream's leader shows", async () => {
    const consumer = (name: string, ...replicas: object[]) => ({
      consumer_detail: [{ name, cluster: { leader: "b", replicas } }],
    });
    const { streams } = await observe({
      a: stream({ leader: "a", replicas: [member("b")] }, consumer("shared", member("a"))),
      b: stream(
        { leader: "a", replicas: [member("a")] },
        {
          consumer_detail: [
            { name: "lone", cluster: { leader: "b" } },
            ...consumer("shared", member("a", { current: false })).consumer_detail,
          ],
        },
      ),
    });
    const found = [...(streams[0]?.consumers ?? [])].sort((x, y) => (x.name < y.name ? -1 : 1));
    expect(found).toEqual([
      { name: "lone", hosts: ["b"], leader: "b", ill: [] },
      { name: "shared", hosts: ["a", "b"], leader: "b", ill: ["a"] },
    ]);
  });

  test("is behind by what logs lag, and by messages that are still copied", async () => {
    const state = (last_seq: number) => ({ state: { messages: 5, bytes: 50, last_seq } });
    const observed = await observe({
      a: stream({ leader: "a", replicas: [member("b", { lag: 20 }), member("c")] }, state(1_000)),
      b: stream({ leader: "a", replicas: [member("a", { lag: 9 })] }, state(400)),
      c: stream({ leader: "a", replicas: [] }, state(1_000)),
    });
    expect(behindIn(observed)).toBe(620);
  });

  test("doesn't count replicas that are being added", async () => {
    const { streams } = await observe({
      a: stream({ leader: "a", replicas: [member("b", { current: false, pending: true })] }),
    });
    expect(streams[0]?.pending).toEqual(["b"]);
  });
});
