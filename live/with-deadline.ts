/**
 * The result of some work.
 *
 * @param start starts the work. With each call of `goesOn` by it, the time begins anew.
 * @throws Error if the result isn't there, nor is the work going on, for `milliseconds`. The work isn't ended.
 */
export async function withDeadline<Result>(
  start: (goesOn: () => void) => Promise<Result>,
  milliseconds: number,
): Promise<Result> {
  const clock = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const wind = () => {
    clearTimeout(timer);
    if (isOver) return;
    const late = () => clock.reject(new Error(`no answer in ${milliseconds / 1000} s`));
    timer = setTimeout(late, milliseconds);
  };
  wind();
  try {
    return await Promise.race([start(wind), clock.promise]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
