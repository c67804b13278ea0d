import { describe, expect, test } from "vitest";
import { type RemovalTerms, whyNotRemoved } from "../../../lib/update/removal.ts";
import { clusterWith, streamOn } from "../../support/observed.ts";

const HOSTS = ["rg1-az1", "rg1-az2", "rg1-az3"];
const ORDERS = streamOn("ORDERS", HOSTS, { messages: 3 });
const EMPTY = streamOn("EMPTY", HOSTS, { messages: 0 });

const judge = (
  seen: Parameters<typeof whyNotRemoved>[0],
  terms: Partial<RemovalTerms> = {},
  nodes = 3,
) => whyNotRemoved(seen, nodes, { cluster: "east", expendable: [], keepsVolumes: false, ...terms });

describe("a cluster that has left its program", () => {
  test("stays where a stream holds messages, which are told", () => {
    expect(judge(clusterWith([EMPTY, ORDERS]))).toBe(
      'cluster east is in the program no more, but has ORDERS with 3 messages (100 B), which would be gone for good; nothing of it was removed. Put it back. To let it go: give its streams allowDataLoss: true (or the cluster keepVolumes: true), run "pulumi up", then take it out',
    );
  });

  test("stays where a node can't be asked", () => {
    expect(judge({ streams: [EMPTY], silent: ["rg1-az2"] })).toContain(
      "has what 1 node can't be asked for,",
    );
  });

  test("names a few of many streams", () => {
    const streams = Array.from({ length: 7 }, (_, index) =>
      streamOn(`S${index}`, HOSTS, { messages: 1 }),
    );
    expect(judge(clusterWith(streams))).toMatch(/S4 with 1 message \(100 B\), 2 more, which/);
  });

  test.each([
    ["nothing is in its streams", clusterWith([EMPTY]), {}, 3],
    ["its messages may go", clusterWith([ORDERS]), { expendable: [ORDERS] }, 3],
    ["its volumes stay", clusterWith([ORDERS]), { keepsVolumes: true }, 3],
    ["nothing of it is there", { streams: [], silent: [] }, {}, 0],
  ])("goes where %s", (_, seen, terms, nodes) => {
    expect(judge(seen, terms, nodes)).toBeUndefined();
  });

  test("isn't let go by a stream of that name in another account", () => {
    const expendable = [{ account: "OTHER", name: "ORDERS" }];
    expect(judge(clusterWith([ORDERS]), { expendable })).toContain("ORDERS with 3 messages");
  });
});
