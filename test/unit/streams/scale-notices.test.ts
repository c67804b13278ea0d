import { describe, expect, test } from "vitest";
import { describeScale } from "../../../lib/streams/scale-notices.ts";

const of = (replicas: number) => ({ num_replicas: replicas });

describe("a stream that is scaled", () => {
  test("takes no messages for a while where it had one replica", () => {
    expect(describeScale(of(1), of(3), 0).join()).toMatch(/^it takes no messages for some seconds/);
    expect(describeScale({}, of(3), 2)).toHaveLength(1);
    for (const [before, after] of [
      [3, 5],
      [3, 3],
      [1, 1],
    ] as const) {
      expect(describeScale(of(before), of(after), 2)).toEqual([]);
    }
  });

  test("takes its consumers' own replicas down for good where it comes to one", () => {
    expect(describeScale(of(3), of(1), 2).join()).toMatch(/^2 consumers with it: .* keeps 1/);
    expect(describeScale(of(3), of(1), 0)).toEqual([]);
    expect(describeScale(of(3), of(2), 2)).toEqual([]);
    const queue = { ...of(1), retention: "workqueue" } as const;
    expect(describeScale(of(3), queue, 2)).toEqual([]);
  });
});
