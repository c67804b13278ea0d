import { describe, expect, test } from "vitest";
import { decide, goesToAll, loosen } from "../../../../cli/pulumi/silence.mjs";

const urn = (name: string) => `urn:pulumi:dev::p::docker:index/container:Container::${name}`;
const RG3 = {
  key: "rg3",
  host: "ssh://m3",
  reason: "Connection timed out",
  urns: [urn("c1-rg3-az1-container"), urn("c1-rg3-az1-data")],
  nodes: ["rg3-az1"],
};
const EXCLUDED = RG3.urns.flatMap((each) => ["--exclude", each]);
const PROJECT = "/nowhere";

describe("engines are asked", () => {
  test.each(
    [
      "refresh --yes",
      "--stack dev refresh",
      "destroy",
      "down -y",
      "up --refresh",
      "up -r",
      "preview -r --diff",
      "up -yr",
      "update --refresh=true",
    ].map((line) => [line]),
  )("before %s", (line) => expect(goesToAll(line.split(" "), PROJECT)).toBe(true));

  test.each(
    [
      "up --yes",
      "preview --diff",
      "up --refresh=false",
      "up --refresh --refresh=false",
      "config set refresh true",
      "stack rm",
      "destroy --help",
    ].map((line) => [line]),
  )("not before %s", (line) => expect(goesToAll(line.split(" "), PROJECT)).toBe(false));
});

describe("what is on an engine that doesn't answer", () => {
  const decided = (line: string, isAnyThere = true) =>
    decide(line.split(" "), [RG3], isAnyThere, "dev");

  test("is left out by its URNs, and the user is told", () => {
    const { args, lines, left, refusal } = decided("refresh --yes");
    expect([args, left, refusal]).toEqual([EXCLUDED, undefined, undefined]);
    expect(lines).toEqual([
      expect.stringMatching(
        /^engines\.rg3: .* rg3-az1 .* left out.*\(rg3: Connection timed out\)$/,
      ),
    ]);
  });

  test("stays after a destroy, and the stack with it", () => {
    const { args, lines, left } = decided("destroy");
    expect(args).toEqual(EXCLUDED);
    expect(lines).toEqual([expect.stringContaining("rg3-az1 with their volumes")]);
    expect(left).toMatch(/^Stack dev isn't gone: rg3-az1 .* ssh:\/\/m3\. .*stack rm --force/);
  });

  test("is added to what the user leaves out, unless that has it", () => {
    expect(decided("refresh -x **az1-data").args).toEqual(EXCLUDED.slice(0, 2));
    expect(decided("refresh --exclude=**rg3*")).toEqual({ args: [], lines: [] });
  });

  test("doesn't matter where only others are targets", () => {
    expect(decided("refresh --target **rg1*")).toEqual({ args: [], lines: [] });
    expect(decided("refresh --target **rg30*")).toEqual({ args: [], lines: [] });
  });

  test.each([
    ["up --refresh -t **rg3-az1-data", "Leave out --target **rg3-az1-data"],
    ["up --refresh --plan plan.json", "leave out --refresh"],
    ["preview -r --save-plan=plan.json", "leave out --refresh"],
    ["refresh --exclude **rg1* --exclude-dependents", "Leave out --exclude-dependents"],
  ])("can't be left out of %s", (line, way) => {
    expect(decided(line).refusal).toContain(way);
    expect(decided(line).args).toEqual([]);
  });

  test("is all that there is: nothing is done", () => {
    expect(decided("refresh", false).refusal).toContain("nothing was changed");
    expect(decided("destroy", false).refusal).toContain("stack rm --force");
  });

  test("comes after nothing else, so that all else can go before it", () => {
    const [container = "", data = ""] = RG3.urns;
    const other = { urn: urn("c1-rg1-az1-container"), dependencies: [data] };
    const own = {
      urn: container,
      parent: "node",
      dependencies: [data, other.urn],
      propertyDependencies: { volumes: [data], labels: [other.urn], name: null },
    };
    expect(loosen([{ urn: data }, other, own], new Set(RG3.urns))).toEqual([
      { urn: data },
      other,
      {
        ...own,
        dependencies: [data],
        propertyDependencies: { volumes: [data], labels: [], name: [] },
      },
    ]);
  });
});
