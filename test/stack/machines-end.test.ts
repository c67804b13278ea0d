import path from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive } from "../../tools/setup/staged.ts";
import { eventually } from "../support/eventually.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { processesWith, traces } from "../support/machines/traces.ts";

const IMAGE = "nats:2.15.2";
const MODULE = path.join(import.meta.dirname, "../support/machines/machines.ts");

/** A run of its own: prints the PID of its machine's process 1, then waits for its end. */
const RUN = `
import { Machines } from ${JSON.stringify(MODULE)};
const machines = await Machines.start({ count: 1, images: [${JSON.stringify(IMAGE)}] });
const [machine] = machines.all;
await machine.localDocker("run", "--detach", ${JSON.stringify(IMAGE)});
console.log(machine.pid);
`;

const reason = await whyNoMachines();

describe.skipIf(reason)(
  `the end of several machines${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    /** Runs beside the others. */
    let machines: Machines;
    let before: readonly string[];

    beforeAll(async () => {
      machines = await Machines.start({ count: 1 });
      before = await traces(process.pid);
    });

    afterAll(async () => {
      await machines?.[Symbol.asyncDispose]();
    });

    /** @param processes that ran in machines. @param pid of the process that has started them. */
    async function expectNothingLeft(
      processes: readonly number[],
      pid: number = process.pid,
    ): Promise<void> {
      expect(processes.filter(isAlive)).toEqual([]);
      expect(await traces(process.pid, pid)).toEqual(before);
      // Those beside them are still there.
      const [other] = machines.all;
      expect(await other?.docker("info", "--format={{.Name}}")).toBe("m1");
    }

    test("leaves nothing behind", async () => {
      const ended = await Machines.start({ count: 2, images: [IMAGE] });
      const processes: number[] = [];
      for (const machine of ended.all) {
        await machine.localDocker("run", "--detach", IMAGE);
        processes.push(...(await processesWith(machine.pid)));
      }
      expect(processes.length).toBeGreaterThanOrEqual(10);
      await ended.machine("m2").kill();
      expect((await traces(process.pid)).length).toBeGreaterThan(before.length);
      await ended[Symbol.asyncDispose]();
      await expectNothingLeft(processes);
    });

    test("leaves nothing behind after a start that failed", async () => {
      const start = Machines.start({ count: 2, images: ["nats-regions-test:missing"] });
      await expect(start).rejects.toThrow("nats-regions-test:missing");
      await expectNothingLeft([]);
    });

    test("by a kill of the process leaves nothing that the next start doesn't remove", async () => {
      const run = execa(process.execPath, ["--input-type=module", "--eval", RUN], {
        reject: false,
      });
      const { value } = await createInterface(run.stdout)[Symbol.asyncIterator]().next();
      const processes = await processesWith(Number(value));
      expect(processes.length).toBeGreaterThanOrEqual(5);
      run.kill("SIGKILL");
      await run;

      await eventually(async () => !processes.some(isAlive));
      await (await Machines.start({ count: 0 }))[Symbol.asyncDispose]();
      // The kernel takes its time to remove the devices of a network namespace.
      await eventually(
        async () => (await traces(process.pid, run.pid ?? 0)).length === before.length,
      );
      await expectNothingLeft(processes, run.pid);
    });
  },
);
