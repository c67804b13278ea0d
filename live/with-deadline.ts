/** The result of some work. @throws Error if it isn't there within `milliseconds`; the work goes on. */
export async function withDeadline<Result>(
  work: Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  const clock = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => clock.reject(new Error(`no answer in ${milliseconds / 1000} s`)),
    milliseconds,
  );
  try {
    return await Promise.race([work, clock.promise]);
  } finally {
    clearTimeout(timer);
  }
}
