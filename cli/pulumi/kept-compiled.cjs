/**
 * Preloaded into the program and the dynamic provider: node writes what it has compiled to NODE_COMPILE_CACHE when a
 * process exits. The CLI ends a dynamic provider by SIGINT, by which it wouldn't exit but die, and the next one would have
 * to strip the types of all its modules again: 0.2 s of CPU.
 */
if (process.argv[1]?.endsWith("/@pulumi/pulumi/cmd/dynamic-provider/index.js")) {
  const SIGINT = 2;
  process.once("SIGINT", () => process.exit(128 + SIGINT));
}
