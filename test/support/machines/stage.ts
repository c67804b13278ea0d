import { TestStack } from "../stack.ts";
import { Traffic } from "../traffic.ts";
import type { MachineName } from "./directions.ts";
import { Machines } from "./machines.ts";

/** Milliseconds, one way: three regions, none of them close to another. */
const DELAYS = { "m1-m2": 15, "m2-m3": 30, "m1-m3": 40 };

/** Messages in a stream that are read quickly, from each replica, by requests that take a round trip. */
const MESSAGES = 2_000;

/** A stack whose regions are on machines of their own, under traffic. */
export class MachinesStage implements AsyncDisposable {
  readonly machines: Machines;
  readonly stack: TestStack;
  #traffic: Traffic | undefined;

  private constructor(machines: Machines, stack: TestStack) {
    this.machines = machines;
    this.stack = stack;
  }

  /** Starts three machines, with delays between them, and makes a stack that knows no engine yet. */
  static async start(): Promise<MachinesStage> {
    const machines = await Machines.start({ count: 3, delays: DELAYS, images: ["nats:2.15.2"] });
    const stack = await TestStack.create();
    Object.assign(stack.env, machines.environment);
    const stage = new MachinesStage(machines, stack);
    stage.lookAtAll();
    return stage;
  }

  /** Region `rg1` is on the machine `m1`, and so on. */
  engines(): Readonly<Record<string, { readonly host: string }>> {
    return Object.fromEntries(
      this.machines.all.map(({ name, host }) => [name.replace("m", "rg"), { host }]),
    );
  }

  /** From now on the stack's nodes are looked for on all machines that there are. */
  lookAtAll(): void {
    const { environment, all } = this.machines;
    this.stack.engines = all.map(({ host }) => ({ ...environment, DOCKER_HOST: host }));
  }

  /** Makes the cluster, and starts traffic to its streams. */
  async up(settings: { readonly streams: object }): Promise<void> {
    this.stack.configure(settings);
    await this.stack.expectPulumi("up", "--yes", "--skip-preview");
    this.#traffic = await Traffic.start(
      await this.stack.outputs(),
      Object.keys(settings.streams),
      "ORDERS",
    );
  }

  get traffic(): Traffic {
    if (!this.#traffic) throw new Error("there is no traffic before the first up");
    return this.#traffic;
  }

  /** To be called between two periods of traffic: empties streams that hold so much that it takes long to read. */
  async keepShort(): Promise<void> {
    const counts = Object.values(this.traffic.acknowledged);
    if (counts.some((count) => count > MESSAGES)) await this.traffic.startOver();
  }

  machineOf(region: string): ReturnType<Machines["machine"]> {
    return this.machines.machine(region.replace("rg", "m") as MachineName);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#traffic?.[Symbol.asyncDispose]();
    await this.stack.remove();
    await this.machines[Symbol.asyncDispose]();
  }
}
