import { time } from "/work/main/bench/stopwatch.ts";
import { SEED_SETTINGS, TestStack } from "/work/main/test/support/stack.ts";

const stack = await TestStack.create();
const run = async (...w) => {
  const { file, args, options } = stack.command(w);
  const t = await time(
    file,
    args,
    {
      ...options,
      env: {
        ...options.env,
        ...(process.env.PROF ? { NODE_OPTIONS: "--cpu-prof --cpu-prof-dir=/tmp/prof" } : {}),
      },
    },
    true,
  );
  return t;
};
try {
  let t = await run("up", "--yes", "--skip-preview");
  console.log("cold", t.seconds.toFixed(1));
  for (const n of process.argv.slice(2).map(Number)) {
    const streams = Object.fromEntries(
      Array.from({ length: n }, (_, i) => [
        `S${i}`,
        { subjects: [`s${i}.>`], replicas: 3, placement: { tags: [`rg:${(i % 3) + 1}`] } },
      ]),
    );
    stack.configure({ streams });
    t = await run("up", "--yes", "--skip-preview");
    console.log(n, "up", t.seconds.toFixed(1), "MiB", t.peakMiB.toFixed(0));
    if (n > 100) process.env.PROF = 1;
    t = await run("preview", "--expect-no-changes");
    console.log(n, "preview", t.seconds.toFixed(1), "MiB", t.peakMiB.toFixed(0));
  }
} catch (e) {
  console.log(String(e).slice(-3000));
} finally {
  await stack.remove();
}
