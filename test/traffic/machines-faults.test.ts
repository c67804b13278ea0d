import { readdirSync } from "node:fs";
import path from "node:path";
import { createUser } from "@nats-io/nkeys";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { at, STREAMS } from "../support/change.ts";
import { eventually } from "../support/eventually.ts";
import { planOfStack } from "../support/inject-fault.ts";
import {
  describeCase,
  type FaultCase,
  faultCase,
  type UpKind,
} from "../support/machines/fault-cases.ts";
import { runFaultCase } from "../support/machines/fault-run.ts";
import { OPERATOR_KILLED } from "../support/machines/faults.ts";
import { whyNoMachines } from "../support/machines/machines.ts";
import { MachinesStage } from "../support/machines/stage.ts";

/** By `npm run chaos`. */
const CASES = Number(process.env.MACHINE_FAULTS ?? 0);
/** `MACHINE_FAULT=7 MACHINE_FAULTS=1` with its seed repeats the seventh alone. */
const FIRST = Number(process.env.MACHINE_FAULT ?? 1);
/** How often the operator is killed. */
const KILLS = Number(process.env.OPERATOR_KILLS ?? 0);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);

/** Milliseconds after which a shared connection ends that nobody uses, with some for a busy machine. */
const MASTERS_END = 75_000;
const UP = ["up", "--yes", "--skip-preview"];
const REGIONS = ["rg1", "rg2", "rg3"];

/** Messages that were given up may come minutes later, from clients that were cut off: streams know them then. */
const streamsWith = (region: string) => ({
  EVENTS: { ...STREAMS.EVENTS, duplicateWindow: "10m" },
  ORDERS: { ...at(STREAMS.ORDERS, region.replace("rg", "rg:")), duplicateWindow: "10m" },
  SOLO: { ...STREAMS.SOLO, duplicateWindow: "10m" },
});

const reason = await whyNoMachines();

describe.skipIf(reason || CASES + KILLS === 0)(
  `an up while a machine is in trouble${reason ? ` (${reason})` : ""}`,
  () => {
    let stage: MachinesStage;
    let memory = 128;
    let store = 1_024;
    let region = "rg2";
    let accounts = {};

    const settings = () => ({
      memory: `${memory}MiB`,
      maxFileStore: `${store}MiB`,
      accounts,
      streams: streamsWith(region),
      engines: stage.engines(),
    });

    /** Changes the settings, so that there is something to do for an `up`. */
    function alter(kind: UpKind): void {
      switch (kind) {
        case "memory":
          memory = memory === 128 ? 160 : 128;
          break;
        case "move":
          region = REGIONS[(REGIONS.indexOf(region) + 1) % REGIONS.length] ?? "";
          break;
        case "account": {
          const name = `team${Object.keys(accounts).length}`;
          const users = { [name]: { nkey: createUser().getPublicKey() } };
          accounts = { ...accounts, [name.toUpperCase()]: { users } };
          break;
        }
        case "store":
          store += 64;
      }
      stage.stack.configure(settings());
    }

    beforeAll(async () => {
      console.info(`faults of machines: KILL_SEED=${SEED}`);
      stage = await MachinesStage.start();
      vi.stubEnv("PATH", stage.machines.environment.PATH);
      await stage.up(settings());
    });

    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]();
      vi.unstubAllEnvs();
    });

    beforeEach(() => stage.keepShort());

    const killed = Array.from({ length: KILLS }, (_, index) =>
      faultCase(SEED, index + 1, 3, [OPERATOR_KILLED]),
    );

    test.for(killed.map((each) => ({ ...each, title: describeCase(each) })))(
      "$title, and is finished by the next",
      { timeout: 600_000 },
      async (given) => {
        await run(given);
        // Those that the killed one has left end by themselves.
        await eventually(async () => (await connectionsLeft()) === "", MASTERS_END);
      },
    );

    test("is one at a time", { timeout: 600_000 }, async () => {
      const { stack } = stage;
      alter("memory");
      const locks = path.join(stack.folder, ".pulumi", "locks");
      const first = stack.start(UP);
      await eventually(async () =>
        readdirSync(locks, { recursive: true }).some((name) => `${name}`.endsWith(".json")),
      );
      const second = await stack.pulumi(...UP);
      expect(second.text).toContain("the stack is currently locked");
      expect(second.exitCode).not.toBe(0);
      expect(await first).toMatchObject({ exitCode: 0 });
      await stack.expectPulumi("preview", "--expect-no-changes");
    });

    /** Connections of ssh to the machines: those that are kept for others are known to nobody by another name. */
    async function connectionsLeft(): Promise<string> {
      const to = stage.machines.all
        .flatMap(({ address }) => ["or", "dst", `${address}:22`])
        .slice(1);
      return (await execa("ss", ["-tnH", "state", "established", ...to])).stdout;
    }

    async function run(given: FaultCase): Promise<void> {
      const before = planOfStack(stage.stack, settings());
      alter(given.kind);
      await runFaultCase(stage, given, { before, after: planOfStack(stage.stack, settings()) });
    }

    const cases = Array.from({ length: CASES }, (_, index) => faultCase(SEED, FIRST + index, 3));

    test.for(cases.map((each) => ({ ...each, title: describeCase(each) })))(
      "$title",
      { timeout: 900_000 },
      async (given) => {
        const before = planOfStack(stage.stack, settings());
        alter(given.kind);
        await runFaultCase(stage, given, { before, after: planOfStack(stage.stack, settings()) });
      },
    );
  },
);
