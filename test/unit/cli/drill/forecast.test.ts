import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  describeDeviation,
  describeFinding,
  type Finding,
  findLoss,
  forecast,
  isBack,
  judgeObservations,
  type LossScope,
  type Observations,
  sample,
} from "../../../../cli/drill/forecast.ts";
import { planSeating } from "../../../../lib/placement/placement.ts";
import { lossesOf, majorityOf } from "../../../../lib/placement/survivability.ts";
import { uniformShape } from "../../../../lib/topology/shape.ts";
import { placeNodes } from "../../../../lib/topology/topology.ts";
import { SEED_FLEET } from "../../../support/seed.ts";

const NODES = placeNodes(uniformShape(["rg1", "rg2", "rg3"], ["az1", "az2", "az3"]));
const LOSSES = lossesOf(NODES);

const lossOf = (scope: LossScope, name: string) => {
  const loss = findLoss(scope, name, LOSSES);
  if (!loss) throw new Error(`no ${scope} ${name}`);
  return loss;
};
const groupOn = (...hosts: string[]) => ({
  account: "APP",
  name: "ORDERS",
  leader: hosts[0] ?? "",
  hosts,
});
const ORDERS = groupOn("rg2-az1", "rg2-az2", "rg2-az3");
const EVENTS = { ...groupOn("rg1-az1", "rg2-az2", "rg3-az3"), name: "EVENTS" };

describe("what is to fail", () => {
  test.each([
    ["node", "rg1-az2", ["rg1-az2"]],
    ["zone", "rg1-az1", ["rg1-az1"]],
    ["zone", "az1", ["rg1-az1", "rg2-az1", "rg3-az1"]],
    ["region", "rg2", ["rg2-az1", "rg2-az2", "rg2-az3"]],
  ] as const)("%s %s", (scope, name, nodes) => {
    expect(findLoss(scope, name, LOSSES)?.nodes).toEqual(nodes);
  });

  test.each([
    ["node", "rg1"],
    ["region", "az1"],
    ["zone", "rg1"],
  ] as const)("there is no %s %s", (scope, name) => {
    expect(findLoss(scope, name, LOSSES)).toBeUndefined();
  });
});

describe("what should come of it", () => {
  test("is told by the hosts that replicas have, and by those that they should have", () => {
    const planned = planSeating({ replicas: 3, tags: ["rg:2"] }, SEED_FLEET);
    const strayed = groupOn("rg1-az1", "rg2-az2", "rg3-az3");
    const expectation = forecast(strayed, lossOf("region", "rg2"), planned);
    expect(expectation).toMatchObject({
      failing: ["rg2-az2"],
      expected: "survives",
      planned: "lost",
    });
    expect(describeDeviation("ORDERS", expectation)).toBe(
      "ORDERS: by the settings it would be lost; its replicas are elsewhere",
    );
    expect(
      describeDeviation("ORDERS", forecast(ORDERS, lossOf("region", "rg2"), planned)),
    ).toBeUndefined();
  });

  test("is no deviation where the settings leave it to the servers", () => {
    const planned = planSeating({ replicas: 3, tags: [] }, SEED_FLEET);
    const expectation = forecast(ORDERS, lossOf("region", "rg2"), planned);
    expect(expectation).toMatchObject({ expected: "lost", planned: "depends" });
    expect(describeDeviation("ORDERS", expectation)).toBeUndefined();
  });

  test("is a matter of a majority of them", () => {
    const names = NODES.map(({ name }) => name);
    fc.assert(
      fc.property(
        fc.subarray(names, { minLength: 1, maxLength: 5 }),
        fc.subarray(names),
        (hosts, nodes) => {
          const left = hosts.filter((host) => !nodes.includes(host)).length;
          const loss = { kind: "region", name: "any", nodes } as const;
          const { expected, failing } = forecast(groupOn(...hosts), loss);
          expect(expected).toBe(left >= majorityOf(hosts.length) ? "survives" : "lost");
          expect(failing).toHaveLength(hosts.length - left);
        },
      ),
    );
  });
});

/** Every quarter of a second, but for a gap. */
function signsWithout(from: number, to: number, end = 25_000): number[] {
  const times = Array.from({ length: end / 250 }, (_, index) => (index + 1) * 250);
  return times.filter((at) => at <= from || at >= to);
}

const NOTHING: Observations = { agreements: [], majorities: [], complete: [] };
const TIMING = { restoring: 20_000, end: 25_000 };
const ASKED = { probe: "agreement", interval: 250 } as const;
const REGION = lossOf("region", "rg2");

function seen(
  group: typeof ORDERS,
  agreements: readonly number[],
  complete: readonly number[] = [23_000],
): Finding {
  return judgeObservations(
    forecast(group, REGION),
    { ...NOTHING, agreements, complete },
    ASKED,
    TIMING,
  );
}

const problemsOf = (finding: Finding) => describeFinding(finding.name, finding, 60_000);

describe("what was seen", () => {
  test("a stream that elects another leader has stayed writable", () => {
    const finding = seen(EVENTS, signsWithout(500, 6_000));
    expect(finding).toMatchObject({
      observed: "survives",
      longestGap: 5_500,
      currentAfter: 3_000,
    });
    expect(finding.writableAfter).toBeUndefined();
    expect(isBack(finding)).toBe(true);
    expect(problemsOf(finding)).toEqual([]);
  });

  test("a stream without a majority is lost until the nodes are back", () => {
    const finding = seen(ORDERS, signsWithout(250, 22_000));
    expect(finding).toMatchObject({
      observed: "lost",
      longestGap: 21_750,
      writableAfter: 2_000,
      currentAfter: 3_000,
    });
    expect(isBack(finding)).toBe(true);
    expect(problemsOf(finding)).toEqual([]);
  });

  test("one that should have stayed writable and didn't is a problem", () => {
    const finding = seen(EVENTS, signsWithout(250, 22_000));
    expect(problemsOf(finding)).toEqual([
      "EVENTS: should have stayed writable, with 2 of its 3 replicas up, but did not",
    ]);
  });

  test("and so is one that should have been lost and wasn't", () => {
    const finding = seen(ORDERS, signsWithout(500, 6_000));
    expect(problemsOf(finding)).toEqual([
      "ORDERS: should not have been writable, with 0 of its 3 replicas up, but was",
    ]);
  });

  test("what doesn't come back is a problem, as expected as its loss was", () => {
    const finding = seen(ORDERS, signsWithout(250, 26_000), []);
    expect(isBack(finding)).toBe(false);
    expect(finding.longestGap).toBe(24_750);
    expect(problemsOf(finding)).toEqual([
      "ORDERS: was not writable again within 60 s",
      "ORDERS: not all its replicas were current within 60 s",
    ]);
  });

  test("replicas that were current before they failed don't count", () => {
    const finding = seen(EVENTS, signsWithout(500, 6_000), [100, 19_999]);
    expect(isBack(finding)).toBe(false);
    expect(problemsOf(finding)).toEqual(["EVENTS: not all its replicas were current within 60 s"]);
  });

  test("a stream of which nothing is heard at all is lost", () => {
    expect(seen(ORDERS, [])).toMatchObject({ observed: "lost", longestGap: 25_000 });
  });

  test("pages count only where nobody could be asked", () => {
    const observations = { ...NOTHING, majorities: signsWithout(500, 6_000), complete: [23_000] };
    const expectation = forecast(EVENTS, REGION);
    expect(judgeObservations(expectation, observations, ASKED, TIMING).observed).toBe("lost");
    const pages = { probe: "pages", interval: 500 } as const;
    expect(judgeObservations(expectation, observations, pages, TIMING)).toMatchObject({
      observed: "survives",
      ...pages,
    });
  });
});

describe("how many are asked", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...forecast(index % 2 ? EVENTS : { ...ORDERS, hosts: ["rg3-az1"] }, REGION),
      name: `S${index}`,
    }));

  test.each([
    [2, 2, 250],
    [25, 25, 250],
    [100, 100, 1_000],
    [5_000, 200, 2_000],
  ])("of %i streams %i, each every %i ms", (count, asked, interval) => {
    const { groups, ...rest } = sample(many(count));
    expect(groups).toHaveLength(asked);
    expect(rest).toEqual({ interval });
  });

  test("those that lose a replica come first", () => {
    const { groups } = sample(many(1_000));
    expect(groups.every(({ failing }) => failing.length > 0)).toBe(true);
  });
});
