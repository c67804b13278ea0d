import { expect, test } from "vitest";
import { peerId } from "../../../lib/observed/meta-group.ts";

/** As `/jsz` of nats-server 2.15.2 shows it, `meta_cluster.peer`. */
test("a member goes by the id that the server gives it", () => {
  expect(peerId("rg1-az1")).toBe("6s4h5MOv");
});
