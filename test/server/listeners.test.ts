import { wsconnect } from "@nats-io/nats-core";
import { expect, test } from "vitest";
import { nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { RenderedServer } from "../support/rendered-server.ts";

const confOf = (settings: object) => {
  const identity = { project: "nats-regions", stack: "dev" };
  const raw = { clientPort: 4222, monitorPort: 8222, ...settings };
  const [node] = nodesOf(planCluster(parseSettings(raw, identity)));
  if (!node) throw new Error("the plan has no node");
  const { clientAdvertise: _, ...conf } = node.conf;
  return conf;
};

test("a browser's client logs in as others do, and hears of the published address", async () => {
  await using server = await RenderedServer.start(confOf({ websocket: true }));
  const login = { servers: server.websocketUrl, reconnect: false };
  const client = await wsconnect({ ...login, user: "user", pass: "user" });
  const answer = await client.request("$SYS.REQ.USER.INFO");
  expect(answer.json()).toMatchObject({ data: { account: "APP" } });
  await client.close();
  await expect(wsconnect({ ...login, user: "user", pass: "sys" })).rejects.toThrow(
    /Authorization/i,
  );
  expect(await server.page("varz")).toMatchObject({ websocket: { advertise: "127.0.0.1:12222" } });
});

test.each([
  [{}, { websocket: true }],
  [{ websocket: true }, {}],
  [{ websocket: true }, { websocket: true, config: { websocket: { compression: true } } }],
  [{}, { mqtt: true }],
  [{ leafNodes: true }, { leafNodes: true, leafNodePort: 7_500 }],
])("no reload takes nodes from %j to %j, whose labels differ", async (before, after) => {
  await using server = await RenderedServer.start(confOf(before));
  expect(await server.reload(confOf(after))).toEqual({
    refused: expect.stringContaining("not supported"),
  });
});
