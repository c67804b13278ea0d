import type { Step } from "../../cli/terminal/log.ts";
import type { Machine } from "./machine.ts";
import { type FailedWay, unavailable } from "./set-up-errors.ts";

/** One thing that set-up provides. */
export interface Part {
  /** As people know it, with its version: `Pulumi CLI 3.259.0`. */
  readonly label: string;
  /** Tells whether it is there and fits. Cheap: it is asked before every command. */
  find(): Promise<boolean>;
  /** Gets it, and tells how: `built from source`. */
  provide(step: Step): Promise<string>;
}

/** One of several ways to get a part. */
export interface Way {
  /** As the error names it: `official release`. */
  readonly name: string;
  /** What the step shows while it goes on, if that takes time: `downloading the official release`. */
  readonly doing?: string;
  /** What the step shows when it is done: `downloaded`. */
  readonly done: string;
  /** A reason not even to try. */
  hopeless?(): string | undefined;
  take(step: Step): Promise<void>;
}

/**
 * Gets a part in the first way that works.
 *
 * @param remedy what a person can do about it if none does
 */
export async function firstOf(
  ways: readonly Way[],
  step: Step,
  { env, signal }: Machine,
  remedy: () => Promise<string>,
): Promise<string> {
  const failed: FailedWay[] = [];
  for (const way of ways) {
    const hopeless = way.hopeless?.();
    try {
      if (hopeless) throw new Error(hopeless);
      if (way.doing) step.doing(way.doing);
      await way.take(step);
      return way.done;
    } catch (error) {
      if (signal.aborted) throw error;
      failed.push({ way: way.name, reason: (error as Error).message });
    }
  }
  throw unavailable(step.label, failed, await remedy(), env);
}
