import type { Outcome, TestStack } from "./stack.ts";

/** The CLI of a stack, and all that it has said: no secret may be in it. */
export class HeardCli {
  readonly said: string[] = [];
  readonly #stack: () => TestStack;

  /** @param stack called at each command, as tests make their stack after this. */
  constructor(stack: () => TestStack) {
    this.#stack = stack;
  }

  /** As {@link TestStack.pulumi}. */
  async pulumi(...args: string[]): Promise<Outcome> {
    const outcome = await this.#stack().pulumi(...args);
    this.said.push(outcome.text);
    return outcome;
  }

  /** As {@link TestStack.expectPulumi}. */
  async expectPulumi(...args: string[]): Promise<string> {
    const text = await this.#stack().expectPulumi(...args);
    this.said.push(text);
    return text;
  }
}
