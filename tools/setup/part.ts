import type { Step } from "../../cli/terminal/log.ts";
import type { Machine } from "./machine.ts";
import { explainUnwritable, type FailedWay, isUnwritable, unavailable } from "./set-up-errors.ts";

/** One thing that set-up provides. */
export interface Part {
  /** Its name and version for users: `Pulumi CLI 3.259.0`. */
  readonly label: string;
  /** Whether it is there and has a suitable version. Must be fast: it runs before every command. */
  find(): Promise<boolean>;
  /** Gets it. @returns how: `built from source`. */
  provide(step: Step): Promise<string>;
}

/** One of several ways to get a part. */
export interface Way {
  /** Its name in errors: `official release`. */
  readonly name: string;
  /** Text of the step while it runs, if that takes time: `downloading the official release`. */
  readonly doing?: string;
  /** Text of the finished step: `downloaded`. */
  readonly done: string;
  /** Why it needn't be tried; undefined if it should be. */
  hopeless?(): string | undefined;
  take(step: Step): Promise<void>;
}

/**
 * Gets a part in the first way that works.
 *
 * @param remedy what users can do if none works.
 */
export async function firstOf(
  ways: readonly Way[],
  step: Step,
  { env, signal }: Machine,
  remedy: () => Promise<string>,
): Promise<string> {
  const failed: FailedWay[] = [];
  for (const [index, way] of ways.entries()) {
    const hopeless = way.hopeless?.();
    try {
      if (hopeless) throw new Error(hopeless);
      if (way.doing) step.doing(way.doing);
      await way.take(step);
      return way.done;
    } catch (error) {
      if (signal.aborted) throw error;
      // No other way would write elsewhere.
      if (isUnwritable(error)) throw explainUnwritable(error, env);
      const { message: reason } = error as Error;
      failed.push({ way: way.name, reason });
      const isTried = hopeless === undefined;
      if (isTried && index < ways.length - 1) step.note(`no ${way.name}: ${reason}`);
    }
  }
  throw unavailable(step.label, failed, await remedy(), env);
}
