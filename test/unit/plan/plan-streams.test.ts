import { expect, test } from "vitest";
import type { AccountPlan } from "../../../lib/accounts/account-settings.ts";
import type { Fleet } from "../../../lib/placement/placement.ts";
import {
  compileStreams,
  conflictProblems,
  draftStream,
  planStreams,
} from "../../../lib/plan/plan-streams.ts";
import type { StreamSettings } from "../../../lib/streams/stream-config.ts";
import { OWN_TAGS } from "../../../lib/topology/tags.ts";

/** Servers that no settings have named. */
const FOUND: Fleet = {
  cluster: "prod",
  uniqueTag: "",
  servers: ["n1", "n2", "n3"].map((name, index) => ({
    name,
    cluster: "prod",
    tags: [`disk:${index === 0 ? "slow" : "fast"}`],
  })),
};
const ACCOUNT: AccountPlan = {
  name: "A",
  users: [],
  limits: {},
  jetStream: {},
  exports: [],
  imports: [],
};

function plan(streams: Readonly<Record<string, StreamSettings>>) {
  const estate = { shape: [], nodes: [], uniqueTag: "az:", tags: OWN_TAGS };
  const wanted = { streams, buckets: {}, objectStores: {}, account: "A" };
  const compiled = compileStreams(wanted, estate);
  const drafts = compiled.map((stream) =>
    draftStream(stream, {
      accounts: [ACCOUNT],
      fleet: FOUND,
      places: [],
      streams: compiled,
      version: [2, 15, 2],
    }),
  );
  return planStreams(drafts, conflictProblems(compiled));
}

test("streams have their place on servers that are there, without a plan of nodes", () => {
  const { streams } = plan({ ORDERS: { replicas: 2, placement: { tags: ["disk:fast"] } } });
  expect(streams).toMatchObject([
    { key: "ORDERS", account: "A", placement: { kind: "exact", hosts: ["n2", "n3"] } },
  ]);
});

test("all that is in the way of streams is said at once", () => {
  const streams: Readonly<Record<string, StreamSettings>> = {
    FAR: { replicas: 1, placement: { region: "rg1" } },
    SLOW: { replicas: 3, placement: { tags: ["disk:slow"] } },
    SAME: { replicas: 1, stream: "FAR" },
  };
  expect(() => plan(streams)).toThrow(
    /streams\.SAME\.stream: .*streams\.FAR\.placement\.region: .*streams\.SLOW\.placement: /s,
  );
});
