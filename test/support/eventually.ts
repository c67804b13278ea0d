/** Waits until a condition holds. @throws Error with the last failure, after `milliseconds`. */
export async function eventually(
  condition: () => Promise<boolean>,
  milliseconds = 20_000,
): Promise<void> {
  let reason: unknown;
  for (const start = Date.now(); Date.now() - start < milliseconds; ) {
    try {
      if (await condition()) return;
      reason = "the condition does not hold";
    } catch (error) {
      reason = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`gave up after ${milliseconds} ms`, { cause: reason });
}
