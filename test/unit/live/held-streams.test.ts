import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { askHeldPatiently } from "../../../live/monitoring/held-streams.ts";

const PAGE = {
  account_details: [
    {
      name: "APP",
      stream_detail: [
        {
          name: "S",
          config: { name: "S", num_replicas: 3, storage: "file" },
          state: { messages: 0, bytes: 0 },
        },
      ],
    },
  ],
};

describe("a node that leaves", () => {
  let server: Server;
  let asked = 0;
  afterEach(() => void server.close());

  /** What one hears of a node that takes so many milliseconds to answer. */
  const ask = async (milliseconds: number) => {
    asked = 0;
    server = createServer((_, response) => {
      asked += 1;
      setTimeout(() => response.end(JSON.stringify(PAGE)), milliseconds);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const held = await askHeldPatiently({ name: "rg1-az1", url }, { short: 200, long: 600, say });
    return { held: held.map(({ name }) => name), said };
  };

  test("tells what it holds", async () => {
    expect(await ask(0)).toEqual({ held: ["S"], said: [] });
  });

  test("is asked again, with more time, where it is busy", async () => {
    const said = ["rg1-az1 takes its time to tell what it holds: asking again, for up to 0.6 s"];
    expect(await ask(350)).toEqual({ held: ["S"], said });
  });

  test("isn't stopped where it never tells", async () => {
    await expect(ask(2_000)).rejects.toThrow(
      "rg1-az1 doesn't tell what it holds, so that it isn't stopped: no answer within 0.6 s",
    );
    expect(asked, "once in the short time, three times in the long one").toBe(4);
  });
});
