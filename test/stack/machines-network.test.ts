import { once } from "node:events";
import { connect } from "node:net";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { Datagrams } from "../support/machines/datagrams.ts";
import type { MachineName, Place } from "../support/machines/directions.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";

const NAMES: readonly MachineName[] = ["m1", "m2", "m3"];
const PLACES: readonly Place[] = ["operator", ...NAMES];
const WAYS = PLACES.flatMap((from) =>
  PLACES.filter((to) => to !== from).map((to) => `${from}>${to}` as const),
);
const DELAYS = { "m1-m2": 15, "m2-m3": 30, "m1>m3": 50, "m3>m1": 30 } as const;
const SSH = 22;

/** Milliseconds that a connection to sshd takes, which is one round trip: the shortest of several. */
const ROUND_TRIP = `
const { connect } = require("node:net");
const [host] = process.argv.slice(1);
const measure = () => new Promise((resolve, reject) => {
  const began = performance.now();
  const socket = connect({ host, port: ${SSH} }).once("error", reject).once("connect", () => {
    resolve(performance.now() - began);
    socket.destroy();
  });
});
(async () => {
  const times = [];
  for (let count = 0; count < 8; count++) times.push(await measure());
  console.log(Math.min(...times));
})();
`;

interface Listeners extends AsyncDisposable {
  readonly at: ReadonlyMap<Place, Datagrams>;
  /** All that was heard, anywhere. */
  all(): readonly string[];
  /** Waits until all of these were heard. */
  heard(texts: readonly string[]): Promise<void>;
}

const reason = await whyNoMachines();

describe.skipIf(reason)(
  `the network of several machines${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    let machines: Machines;

    beforeAll(async () => {
      machines = await Machines.start({ count: 3, delays: DELAYS });
    });

    afterAll(async () => {
      await machines?.[Symbol.asyncDispose]();
    });

    const pidAt = (place: Place) =>
      place === "operator" ? process.pid : machines.machine(place).pid;

    async function expectRoundTrip(from: Place, to: Place, milliseconds: number): Promise<void> {
      const node = [process.execPath, "--eval", ROUND_TRIP, machines.addressOf(to)];
      const enter = [`--target=${pidAt(from)}`, "--net", "--", ...node];
      const shortest = Number((await execa("nsenter", enter)).stdout);
      expect(shortest, `${from} to ${to}`).toBeGreaterThanOrEqual(milliseconds);
      expect(shortest, `${from} to ${to}`).toBeLessThan(milliseconds * 1.5 + 10);
    }

    test("a round trip takes the delays of both ways", async () => {
      await expectRoundTrip("m1", "m2", 30);
      await expectRoundTrip("m2", "m1", 30);
      await expectRoundTrip("m2", "m3", 60);
      await expectRoundTrip("m1", "m3", 80);
      await expectRoundTrip("operator", "m3", 0);
    });

    test("delays change while all runs, the operator's too", async () => {
      await machines.setDelays({ "m1-m2": 100, "operator-m3": 40 });
      await expectRoundTrip("m1", "m2", 200);
      await expectRoundTrip("m2", "m3", 60);
      await expectRoundTrip("operator", "m3", 80);
      await machines.setDelays({ ...DELAYS, "operator-m3": 0 });
      await expectRoundTrip("m1", "m2", 30);
    });

    /** Sends a word from all places to all others, and then to themselves. Resolves when all have been sent. */
    async function sendAll({ at, heard }: Listeners, word: string): Promise<void> {
      for (const way of WAYS) {
        const [from, to] = way.split(">") as [Place, Place];
        at.get(from)?.send(machines.addressOf(to), `${way}:${word}`);
      }
      for (const [place, own] of at) own.send(machines.addressOf(place), `${place}:${word}`);
      await heard(PLACES.map((place) => `${place}:${word}`));
    }

    test.each<[string, (cut: Machines) => Promise<void>, readonly string[]]>([
      ["nothing", async () => {}, []],
      ["one way", (cut) => cut.partition("m1", "m2", { oneWay: true }), ["m1>m2"]],
      ["both ways", (cut) => cut.partition("m2", "m3"), ["m2>m3", "m3>m2"]],
      [
        "a machine from the operator",
        (cut) => cut.partition("operator", "m3"),
        ["operator>m3", "m3>operator"],
      ],
      ["a machine", (cut) => cut.isolate("m1"), WAYS.filter((way) => way.includes("m1"))],
      ["losses", (cut) => cut.setLosses({ "m3>m1": 1 }), ["m3>m1"]],
    ])("cut: %s", async (_, cut, lost) => {
      await using datagrams = await listenEverywhere();
      await cut(machines);
      await sendAll(datagrams, "during");
      await datagrams.heard(
        WAYS.filter((way) => !lost.includes(way)).map((way) => `${way}:during`),
      );
      await machines.heal();
      await machines.setLosses({ "m3>m1": 0 });
      await sendAll(datagrams, "after");
      // They don't overtake each other on their way.
      await datagrams.heard(WAYS.map((way) => `${way}:after`));
      expect(WAYS.filter((way) => !datagrams.all().includes(`${way}:during`))).toEqual(lost);
    });

    async function listenEverywhere(): Promise<Listeners> {
      const at = new Map<Place, Datagrams>();
      for (const place of PLACES) at.set(place, await Datagrams.at(pidAt(place)));
      const all = () => [...at.values()].flatMap(({ heard }) => heard);
      return {
        at,
        all,
        heard: (texts: readonly string[]) =>
          eventually(async () => texts.every((text) => all().includes(text))),
        async [Symbol.asyncDispose]() {
          for (const datagrams of at.values()) await datagrams[Symbol.asyncDispose]();
        },
      };
    }

    test("packets on their way when a cut begins don't arrive", async () => {
      await using datagrams = await listenEverywhere();
      await machines.setDelays({ "m1-m2": 1_000 });
      datagrams.at.get("m1")?.send(machines.addressOf("m2"), "before");
      datagrams.at.get("m1")?.send(machines.addressOf("m3"), "sent");
      await datagrams.heard(["sent"]);
      await machines.partition("m1", "m2");
      datagrams.at.get("m1")?.send(machines.addressOf("m2"), "between");
      await machines.setDelays({ "m1-m3": 1_000 });
      datagrams.at.get("m1")?.send(machines.addressOf("m3"), "later");
      // It left after them and took as long.
      await datagrams.heard(["later"]);
      await machines.heal();
      await machines.setDelays(DELAYS);
      datagrams.at.get("m1")?.send(machines.addressOf("m2"), "healed");
      await datagrams.heard(["healed"]);
      expect(datagrams.all()).not.toContain("before");
      expect(datagrams.all()).not.toContain("between");
    });

    test("without ssh, the operator reaches other ports, and machines reach sshd", async () => {
      await machines.silenceSsh("m2");
      let isConnected = false;
      const address = machines.addressOf("m2");
      const socket = connect(SSH, address).once("connect", () => {
        isConnected = true;
      });
      const refused = connect(1, address);
      await expect(once(refused, "connect")).rejects.toThrow("ECONNREFUSED");
      await expectRoundTrip("m1", "m2", 30);
      expect(isConnected).toBe(false);
      await machines.heal();
      // It has gone on trying.
      await eventually(async () => isConnected);
      socket.destroy();
    });
  },
);
