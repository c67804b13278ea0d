import { expect, test } from "vitest";
import { describeStays } from "../../../lib/update/witnesses.ts";
import { streamOn } from "../../support/observed.ts";

test("streams outside the settings stay on nodes that become witnesses", () => {
  const plan = { streams: [{ account: "APP", name: "ORDERS" }] } as unknown as Parameters<
    typeof describeStays
  >[2];
  const observed = [
    streamOn("ORDERS", ["us-a", "us-b"]),
    streamOn("LOOSE", ["us-a", "us-b"]),
    streamOn("OTHER", ["us-b"]),
  ];
  expect(describeStays(["us-a"], observed, plan)).toEqual([
    "stream LOOSE of account APP, which is not in the settings, stays on us-a, though witnesses take no streams: move it yourself, or name it there",
  ]);
});
