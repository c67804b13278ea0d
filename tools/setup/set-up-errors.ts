/** A way to get something that didn't work out. */
export interface FailedWay {
  /** The way, as a person would name it: `official release`. */
  readonly way: string;
  readonly reason: string;
}

/** Set-up can't go on. Says what is missing, what to do about it and what to repeat then. */
export class SetUpError extends Error {
  override readonly name = "SetUpError";
}

/** What a person reads where every way failed: each with its reason, then what would help. */
export function unavailable(
  what: string,
  failed: readonly FailedWay[],
  remedy: string,
  env: NodeJS.ProcessEnv,
): SetUpError {
  const width = Math.max(...failed.map(({ way }) => way.length));
  const reasons = failed.map(({ way, reason }) => `  ${way.padEnd(width)}  ${reason}`);
  return new SetUpError(
    [`${what} could not be set up:`, ...reasons, "", remedy, thenRepeat(env)].join("\n"),
  );
}

/** The command to give again, as the user gave it. */
export function thenRepeat(env: NodeJS.ProcessEnv): string {
  const script = env.npm_lifecycle_event;
  if (!script || script === "npx") return "Then repeat the command.";
  const command = ["start", "test"].includes(script) ? `npm ${script}` : `npm run ${script}`;
  return `Then repeat: ${command}`;
}
