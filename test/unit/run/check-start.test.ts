import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NOTHING_OBSERVED } from "../../../lib/observed/observed.ts";
import { mayBegin } from "../../../run/check-start.ts";
import { endOf, FakeCluster, type Moment } from "../../support/fake-cluster.ts";
import { clusterWith, NODES, streamOn } from "../../support/observed.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HOSTS = ["rg3-az1", "rg3-az2", "rg3-az3"];
const WAVES = [Object.fromEntries(NODES.map((name) => [name, "new"]))];
const WELL: Moment = { observed: clusterWith([streamOn("S", HOSTS)]) };
/** All are as they are to be but one, whose restart takes the majority of what a second one has no replica of. */
const ILL: Moment = {
  observed: clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az3"] })]),
  made: Object.fromEntries(NODES.map((name) => [name, name === "rg3-az1" ? "old" : "new"])),
};

const pass = (cluster: FakeCluster) =>
  endOf((say) => mayBegin(WAVES, cluster, say), vi.runAllTimersAsync);

describe("the gate before the first wave", () => {
  test("opens at once where all is well", async () => {
    expect(await pass(new FakeCluster(WELL))).toEqual({ opens: true, said: [] });
  });

  test("waits for what gets well by itself, and tells of it now and then", async () => {
    const { opens, said } = await pass(new FakeCluster(...fill(ILL, 15), WELL));
    expect(opens).toBe(true);
    expect(said).toEqual([
      expect.stringMatching(/^waiting before anything is changed: .*'APP > S' is not current/),
    ]);
  });

  test("stays shut where a majority could be lost, and says why and what to do", async () => {
    const cluster = new FakeCluster(ILL);
    cluster.kills = "rg3-az3 was killed for memory";
    const { opens, said } = await pass(cluster);
    expect(opens).toBe(false);
    expect(said.at(-1)).toMatch(
      /^No node was changed, as a majority could be lost: .* \(not on rg3-az3\); rg3-az3 was killed for memory\. To get it well: the log of rg3-az3 says why.* Or set rollout: all/,
    );
  });

  test("goes on where what isn't well takes no majority with it", async () => {
    const elsewhere = { ...ILL, made: { "rg3-az3": "new" } };
    const { opens, said } = await pass(new FakeCluster(elsewhere));
    expect(opens).toBe(true);
    expect(said.at(-1)).toMatch(/; going on where that takes no majority$/);
  });

  test("waits for an engine that is restarted, and not for one that stays away", async () => {
    const away = { observed: NOTHING_OBSERVED, silence: "the Docker engine doesn't answer (down)" };
    expect(await pass(new FakeCluster(away, WELL))).toEqual({ opens: true, said: [] });
    const { opens, said } = await pass(new FakeCluster(away));
    expect(opens).toBe(false);
    expect(said.at(-1)).toMatch(
      /could be lost: the Docker engine doesn't answer \(down\)\. Or set/,
    );
  });
});

function fill(moment: Moment, times: number): [Moment, ...Moment[]] {
  return [moment, ...Array.from({ length: times - 1 }, () => moment)];
}
