import fc from "fast-check";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { renderLosses } from "../../../../cli/destroy/losses-view.ts";
import { nodesIn } from "../../../../cli/inspection/cluster-report.ts";
import { renderMap } from "../../../../cli/inspection/map-view.ts";
import { renderReport } from "../../../../cli/inspection/report-view.ts";
import { widthOf } from "../../../../cli/layout/text.ts";
import { PASSWORD_PLACEHOLDER } from "../../../../lib/accounts/hidden-passwords.ts";
import { streamNamer } from "../../../../lib/streams/stream-name.ts";
import { observationsOf, planOf, reportOf } from "../../../support/cluster-report.ts";
import { settingsFor, shapes } from "../../../support/shapes.ts";

const plain = (width: number) => ({ width, colors: pc.createColors(false) });

const stream = (subject: string, tags: readonly string[]) => ({
  subjects: [subject],
  placement: { tags },
  replicas: 3,
});

const seed = {
  streams: { EVENTS: stream("events.*", ["xr:123"]), ORDERS: stream("orders.*", ["rg:2"]) },
};

/** Streams of two accounts. */
const shared = {
  accounts: { BILLING: { users: { writer: { password: PASSWORD_PLACEHOLDER } } } },
  streams: { ...seed.streams, BILLS: { ...stream("bills.*", ["rg:3"]), account: "BILLING" } },
};

function shape(regions: number, zones: number, nodesPerZone = 1) {
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  return { regions: names("rg", regions), availabilityZones: names("az", zones), nodesPerZone };
}

describe("renderReport", () => {
  test("shows the seed's 3 x 3 on eighty columns", () => {
    expect(`\n${renderReport(reportOf(planOf(seed)), plain(80))}\n`).toMatchInlineSnapshot(`
      "
      ✓ stack dev · 9 of 9 nodes up · nats-server 2.15.2 · meta leader rg3-az3

      ╭─ rg1 ──────────────────╮ ╭─ rg2 ──────────────────╮ ╭─ rg3 ──────────────────╮
      │ az1                    │ │ az1                    │ │ az1                    │
      │ ● rg1-az1   3m12s 4222 │ │ ● rg2-az1   3m12s 4225 │ │ ● rg3-az1   3m12s 4228 │
      │   rg:1 az:1 xr:123     │ │   rg:2 az:1 xr:213     │ │   rg:3 az:1 xr:231     │
      │   xr:132               │ │   xr:312               │ │   xr:321               │
      │   ★ EVENTS             │ │   ★ ORDERS             │ │                        │
      ├────────────────────────┤ ├────────────────────────┤ ├────────────────────────┤
      │ az2                    │ │ az2                    │ │ az2                    │
      │ ● rg1-az2   3m12s 4223 │ │ ● rg2-az2   3m12s 4226 │ │ ● rg3-az2   3m12s 4229 │
      │   rg:1 az:2 xr:213     │ │   rg:2 az:2 xr:123     │ │   rg:3 az:2 xr:132     │
      │   xr:231               │ │   xr:321               │ │   xr:312               │
      │                        │ │   ◆ EVENTS ◆ ORDERS    │ │                        │
      ├────────────────────────┤ ├────────────────────────┤ ├────────────────────────┤
      │ az3                    │ │ az3                    │ │ az3                    │
      │ ● rg1-az3   3m12s 4224 │ │ ● rg2-az3   3m12s 4227 │ │ ● rg3-az3   3m12s 4230 │
      │   rg:1 az:3 xr:312     │ │   rg:2 az:3 xr:132     │ │   rg:3 az:3 xr:123     │
      │   xr:321               │ │   xr:231               │ │   xr:213               │
      │                        │ │   ◆ ORDERS             │ │   ◆ EVENTS             │
      ╰────────────────────────╯ ╰────────────────────────╯ ╰────────────────────────╯
      ● up   ★ stream leader   ◆ replica

      stream  tags    leader   other replicas   messages      size  state
      EVENTS  xr:123  rg1-az1  rg2-az2 rg3-az3     1,234  96.5 KiB  ✓ in place
      ORDERS  rg:2    rg2-az1  rg2-az2 rg2-az3     1,234  96.5 KiB  ✓ in place

      Room
        file    96.5 KiB used, 1024 MiB free on each node
        memory  64MiB free on each node
      "
    `);
  });

  test("puts one region below the other on a narrow terminal", () => {
    expect(`\n${renderReport(reportOf(planOf(seed)), plain(32))}\n`).toMatchInlineSnapshot(`
      "
      ✓ stack dev · 9 of 9 nodes up · nats-server 2.15.2 · meta leader rg3-az3

      ╭─ rg1 ─────────────────────╮
      │ az1                       │
      │ ● rg1-az1      3m12s 4222 │
      │   rg:1 az:1 xr:123 xr:132 │
      │   ★ EVENTS                │
      ├───────────────────────────┤
      │ az2                       │
      │ ● rg1-az2      3m12s 4223 │
      │   rg:1 az:2 xr:213 xr:231 │
      ├───────────────────────────┤
      │ az3                       │
      │ ● rg1-az3      3m12s 4224 │
      │   rg:1 az:3 xr:312 xr:321 │
      ╰───────────────────────────╯
      ╭─ rg2 ─────────────────────╮
      │ az1                       │
      │ ● rg2-az1      3m12s 4225 │
      │   rg:2 az:1 xr:213 xr:312 │
      │   ★ ORDERS                │
      ├───────────────────────────┤
      │ az2                       │
      │ ● rg2-az2      3m12s 4226 │
      │   rg:2 az:2 xr:123 xr:321 │
      │   ◆ EVENTS ◆ ORDERS       │
      ├───────────────────────────┤
      │ az3                       │
      │ ● rg2-az3      3m12s 4227 │
      │   rg:2 az:3 xr:132 xr:231 │
      │   ◆ ORDERS                │
      ╰───────────────────────────╯
      ╭─ rg3 ─────────────────────╮
      │ az1                       │
      │ ● rg3-az1      3m12s 4228 │
      │   rg:3 az:1 xr:231 xr:321 │
      ├───────────────────────────┤
      │ az2                       │
      │ ● rg3-az2      3m12s 4229 │
      │   rg:3 az:2 xr:132 xr:312 │
      ├───────────────────────────┤
      │ az3                       │
      │ ● rg3-az3      3m12s 4230 │
      │   rg:3 az:3 xr:123 xr:213 │
      │   ◆ EVENTS                │
      ╰───────────────────────────╯
      ● up   ★ stream leader   ◆ replica

      EVENTS
        tags: xr:123
        leader: rg1-az1
        other replicas: rg2-az2 rg3-az3
        messages: 1,234
        size: 96.5 KiB
        state: ✓ in place
      ORDERS
        tags: rg:2
        leader: rg2-az1
        other replicas: rg2-az2 rg2-az3
        messages: 1,234
        size: 96.5 KiB
        state: ✓ in place

      Room
        file    96.5 KiB used, 1024 MiB
                free on each node
        memory  64MiB free on each node
      "
    `);
  });

  test("shows a single zone", () => {
    expect(
      `\n${renderReport(reportOf(planOf(shape(1, 1, 2))), plain(80))}\n`,
    ).toMatchInlineSnapshot(`
      "
      ✓ stack dev · 2 of 2 nodes up · nats-server 2.15.2 · meta leader rg1-az1-2

      ╭─ rg1 ────────────────╮
      │ az1                  │
      │ ● rg1-az1 3m12s 4222 │
      │   rg:1 az:1          │
      │ ● rg1-az1-2     4322 │
      │   rg:1 az:1          │
      ╰──────────────────────╯
      ● up

      There are no streams.

      Room
        file    96.5 KiB used, 1024 MiB free on each node
        memory  64MiB free on each node
      "
    `);
  });

  test("shows a node that is down, and what its stream lacks", () => {
    const plan = planOf(seed);
    const answers = observationsOf(plan);
    answers.delete("rg2-az3");
    expect(`\n${renderReport(reportOf(plan, answers), plain(80))}\n`).toMatchInlineSnapshot(`
      "
      ✗ stack dev · 8 of 9 nodes up · nats-server 2.15.2 · meta leader rg3-az3

      ╭─ rg1 ──────────────────╮ ╭─ rg2 ──────────────────╮ ╭─ rg3 ──────────────────╮
      │ az1                    │ │ az1                    │ │ az1                    │
      │ ● rg1-az1   3m12s 4222 │ │ ● rg2-az1   3m12s 4225 │ │ ● rg3-az1   3m12s 4228 │
      │   rg:1 az:1 xr:123     │ │   rg:2 az:1 xr:213     │ │   rg:3 az:1 xr:231     │
      │   xr:132               │ │   xr:312               │ │   xr:321               │
      │   ★ EVENTS             │ │   ★ ORDERS             │ │                        │
      ├────────────────────────┤ ├────────────────────────┤ ├────────────────────────┤
      │ az2                    │ │ az2                    │ │ az2                    │
      │ ● rg1-az2   3m12s 4223 │ │ ● rg2-az2   3m12s 4226 │ │ ● rg3-az2   3m12s 4229 │
      │   rg:1 az:2 xr:213     │ │   rg:2 az:2 xr:123     │ │   rg:3 az:2 xr:132     │
      │   xr:231               │ │   xr:321               │ │   xr:312               │
      │                        │ │   ◆ EVENTS ◆ ORDERS    │ │                        │
      ├────────────────────────┤ ├────────────────────────┤ ├────────────────────────┤
      │ az3                    │ │ az3                    │ │ az3                    │
      │ ● rg1-az3   3m12s 4224 │ │ ○ rg2-az3    down 4227 │ │ ● rg3-az3   3m12s 4230 │
      │   rg:1 az:3 xr:312     │ │   rg:2 az:3 xr:132     │ │   rg:3 az:3 xr:123     │
      │   xr:321               │ │   xr:231               │ │   xr:213               │
      │                        │ │   ◇ ORDERS             │ │   ◆ EVENTS             │
      ╰────────────────────────╯ ╰────────────────────────╯ ╰────────────────────────╯
      ● up   ○ down   ★ stream leader   ◆ replica   ◇ replica behind

      stream  tags    leader   other replicas           messages      size  state
      EVENTS  xr:123  rg1-az1  rg2-az2 rg3-az3             1,234  96.5 KiB  ✓ in place
      ORDERS  rg:2    rg2-az1  rg2-az2 rg2-az3             1,234  96.5 KiB  ! behind
                               (behind)

      Room
        file    96.5 KiB used, 1024 MiB free on each node
        memory  64MiB free on each node

      ✗ No answer from rg2-az3 (nats://127.0.0.1:4227). \`npx pulumi up --refresh\` starts what has stopped.
      ✗ ORDERS: the replica on rg2-az3 is not current.
      "
    `);
  });

  test("shows a stream that is where it should not be", () => {
    const there = observationsOf(planOf({ streams: { ORDERS: stream("orders.*", ["rg:1"]) } }));
    const plan = planOf({ streams: { ORDERS: stream("orders.*", ["rg:2"]) } });
    expect(`\n${renderReport(reportOf(plan, there), plain(80))}\n`).toMatchInlineSnapshot(`
      "
      ✗ stack dev · 9 of 9 nodes up · nats-server 2.15.2 · meta leader rg3-az3

      ╭─ rg1 ──────────────────╮ ╭─ rg2 ──────────────────╮ ╭─ rg3 ──────────────────╮
      │ az1                    │ │ az1                    │ │ az1                    │
      │ ● rg1-az1   3m12s 4222 │ │ ● rg2-az1   3m12s 4225 │ │ ● rg3-az1   3m12s 4228 │
      │   rg:1 az:1 xr:123     │ │   rg:2 az:1 xr:213     │ │   rg:3 az:1 xr:231     │
      │   xr:132               │ │   xr:312               │ │   xr:321               │
      │   ★ ORDERS             │ │                        │ │                        │
      ├────────────────────────┤ ├────────────────────────┤ ├────────────────────────┤
      │ az2                    │ │ az2                    │ │ az2                    │
      │ ● rg1-az2   3m12s 4223 │ │ ● rg2-az2   3m12s 4226 │ │ ● rg3-az2   3m12s 4229 │
      │   rg:1 az:2 xr:213     │ │   rg:2 az:2 xr:123     │ │   rg:3 az:2 xr:132     │
      │   xr:231               │ │   xr:321               │ │   xr:312               │
      │   ◆ ORDERS             │ │                        │ │                        │
      ├────────────────────────┤ ├────────────────────────┤ ├────────────────────────┤
      │ az3                    │ │ az3                    │ │ az3                    │
      │ ● rg1-az3   3m12s 4224 │ │ ● rg2-az3   3m12s 4227 │ │ ● rg3-az3   3m12s 4230 │
      │   rg:1 az:3 xr:312     │ │   rg:2 az:3 xr:132     │ │   rg:3 az:3 xr:123     │
      │   xr:321               │ │   xr:231               │ │   xr:213               │
      │   ◆ ORDERS             │ │                        │ │                        │
      ╰────────────────────────╯ ╰────────────────────────╯ ╰────────────────────────╯
      ● up   ★ stream leader   ◆ replica

      stream  tags  leader   other replicas   messages      size  state
      ORDERS  rg:1  rg1-az1  rg1-az2 rg1-az3     1,234  96.5 KiB  ✗ misplaced

      Room
        file    96.5 KiB used, 1024 MiB free on each node
        memory  64MiB free on each node

      ✗ ORDERS: on rg1-az1, rg1-az2, rg1-az3, but rg:2 means rg2-az1, rg2-az2, rg2-az3. \`npx pulumi up --refresh\` puts that right.
      "
    `);
  });

  test("shows 4 x 4 with two nodes in each zone", () => {
    const plan = planOf({ ...shape(4, 4, 2), streams: { ORDERS: stream("orders.*", ["rg:2"]) } });
    expect(`\n${renderReport(reportOf(plan), plain(100))}\n`).toMatchSnapshot();
  });
});

describe("renderMap", () => {
  test("stays within the terminal and shows every node, whatever the shape", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 24, max: 200 }), (anyShape, width) => {
        fc.pre(anyShape.flatMap(({ zones }) => zones).length > 1);
        const report = reportOf(planOf(settingsFor(anyShape)));
        const lines = renderMap(report, plain(width)).split("\n");
        expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
        const ports = new Set(lines.join(" ").match(/\b\d{4,5}\b/g));
        for (const { clientUrl = "" } of nodesIn(report)) {
          expect(ports).toContain(new URL(clientUrl).port);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("ends the box of a region below its last zone, and tells witnesses", () => {
    const regions = { eu: ["x"], us: ["a", "b"], ap: ["p"] };
    const map = renderMap(reportOf(planOf({ regions, witnesses: ["ap"] })), plain(90));
    expect(`\n${map}\n`).toMatchInlineSnapshot(`
      "
      ╭─ ap ──────────────────────╮ ╭─ eu ──────────────────────╮ ╭─ us ──────────────────────╮
      │ p                         │ │ x                         │ │ a                         │
      │ ● ap-p 3m12s witness 4222 │ │ ● eu-x         3m12s 4225 │ │ ● us-a         3m12s 4228 │
      │   rg:ap az:p !jetstream   │ │   rg:eu az:x xr:_xa       │ │   rg:us az:a xr:_xa       │
      │                           │ │   xr:_xb                  │ │                           │
      ╰───────────────────────────╯ ╰───────────────────────────╯ ├───────────────────────────┤
                                                                  │ b                         │
                                                                  │ ● us-b         3m12s 4229 │
                                                                  │   rg:us az:b xr:_xb       │
                                                                  ╰───────────────────────────╯
      "
    `);
  });

  test("takes as many columns with colours as without", () => {
    const report = reportOf(planOf(seed));
    const colored = renderMap(report, { width: 80, colors: pc.createColors(true) });
    const bare = renderMap(report, plain(80));
    expect(colored).not.toBe(bare);
    expect(colored.split("\n").map(widthOf)).toEqual(bare.split("\n").map(widthOf));
  });
});

describe("streams are called", () => {
  test("by their names where they are all of one account, and else by that too", () => {
    const orders = { account: "APP", name: "ORDERS" };
    const bills = { account: "BILLING", name: "BILLS" };
    const metaGroup = { account: "", name: "meta group" };
    expect([orders, metaGroup].map(streamNamer([orders, metaGroup]))).toEqual([
      "ORDERS",
      "meta group",
    ]);
    expect([orders, bills, metaGroup].map(streamNamer([orders, bills]))).toEqual([
      "ORDERS (APP)",
      "BILLS (BILLING)",
      "meta group",
    ]);
  });

  test("the same in a report, and by what a destroy takes along", () => {
    const report = reportOf(planOf(shared));
    expect(renderReport(report, plain(100))).toContain("BILLS (BILLING)  rg:3");
    expect(renderLosses(report.streams)).toEqual([
      "  EVENTS (APP)     1,234 messages, 96.5 KiB",
      "  ORDERS (APP)     1,234 messages, 96.5 KiB",
      "  BILLS (BILLING)  1,234 messages, 96.5 KiB",
    ]);
    expect(renderLosses(reportOf(planOf(seed)).streams)[0]).toBe(
      "  EVENTS  1,234 messages, 96.5 KiB",
    );
  });
});
