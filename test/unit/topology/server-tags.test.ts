import { describe, expect, test } from "vitest";
import {
  ownTags,
  serverTagProblems,
  uniqueTagProblems,
} from "../../../lib/topology/server-tags.ts";
import type { Shape } from "../../../lib/topology/shape.ts";

const SHAPE: Shape = [
  { name: "us", zones: ["a", "b"].map((name) => ({ name, nodes: 2 })) },
  { name: "eu", zones: [{ name: "x", nodes: 1 }] },
];

const tagsOf = (name: string, region: string, zone: string) =>
  ownTags(
    { name, region, zone },
    {
      us: ["ssd", "dc:1"],
      "us-a": ["rack:1", "Dc:2"],
      "us-a-2": ["rack:2", "ssd", "hot"],
      eu: ["rack:9"],
    },
  );

describe("tags of one's own", () => {
  test("are those of the region, the zone and the node; the closest one of a prefix", () => {
    expect(tagsOf("us-a", "us", "a")).toEqual(["ssd", "rack:1", "Dc:2"]);
    expect(tagsOf("us-a-2", "us", "a")).toEqual(["ssd", "Dc:2", "rack:2", "hot"]);
    expect(tagsOf("us-b-2", "us", "b")).toEqual(["ssd", "dc:1"]);
    expect(tagsOf("eu-x", "eu", "x")).toEqual(["rack:9"]);
    expect(tagsOf("ap-p", "ap", "p")).toEqual([]);
  });

  test.each([
    [{ "us-c": ["x"] }, 'serverTags.us-c: there is no region, zone or node "us-c"'],
    [{ "us-a-3": ["x"] }, 'serverTags.us-a-3: there is no region, zone or node "us-a-3"'],
    [
      { us: ["ssd", "RG:2"] },
      'serverTags.us[1]: "RG:2" has the prefix rg:, of tags that follow from the nodes\' places',
    ],
    [
      { us: ["!jetstream"] },
      'serverTags.us[0]: "!jetstream" begins with "!", by which placements exclude a tag',
    ],
  ])("are refused: %j", (serverTags, problem) => {
    const problems = serverTagProblems(serverTags, SHAPE);
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([problem]);
  });

  test("may be of any region, zone and node that there is", () => {
    const serverTags = { us: ["a"], "us-b": ["b"], "us-b-2": ["c"], "eu-x": ["d"] };
    expect(serverTagProblems(serverTags, SHAPE)).toEqual([]);
  });

  test("have no name that means two places", () => {
    const shape = [...SHAPE, { name: "us-a", zones: [{ name: "q", nodes: 1 }] }];
    expect(serverTagProblems({ "us-a": ["x"] }, shape)).toMatchObject([
      { message: '"us-a" is both a region and a node' },
    ]);
  });
});

describe("a unique tag", () => {
  const nodes = [
    { name: "a", serverTags: ["az:1", "Rack:1"] },
    { name: "b", serverTags: ["az:2"] },
    { name: "c", serverTags: ["az:3", "rack:1", "rack:2"] },
  ];

  test("is one on each node", () => {
    expect(uniqueTagProblems("rack:", nodes).map(({ message }) => message)).toEqual([
      'b has no "rack:" tag, and would take no streams',
      "c has rack:1 and rack:2, of which only the first would count for uniqueTag",
    ]);
    expect(uniqueTagProblems("az:", nodes)).toEqual([]);
    expect(uniqueTagProblems("", nodes)).toEqual([]);
  });
});
