/** A way to get something that failed. */
export interface FailedWay {
  /** Its name for users: `official release`. */
  readonly way: string;
  readonly reason: string;
}

/** Set-up can't continue. The message says what is missing, what to do about it and which command to repeat. */
export class SetUpError extends Error {
  override readonly name = "SetUpError";
}

/** The message if every way failed: the reason of each, and a remedy. */
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

/** Whether a file can't be written because of where it is, as in a read-only home. */
export function isUnwritable(error: unknown): error is NodeJS.ErrnoException & { path: string } {
  const { code = "", path } = error as NodeJS.ErrnoException;
  return ["EACCES", "EPERM", "EROFS"].includes(code) && path !== undefined;
}

/** The message if a folder of the set-up can't be written to. */
export function explainUnwritable(
  error: NodeJS.ErrnoException & { path: string },
  env: NodeJS.ProcessEnv,
): SetUpError {
  const { code, path } = error;
  return new SetUpError(
    `Set-up can't write to ${path} (${code}).\nName folders that it may write to: export XDG_CACHE_HOME=… PULUMI_HOME=…\n${thenRepeat(env)}`,
    { cause: error },
  );
}

/** The command to repeat, as the user typed it. */
export function thenRepeat(env: NodeJS.ProcessEnv): string {
  const script = env.npm_lifecycle_event;
  if (!script || script === "npx") return "Then repeat the command.";
  const command = ["start", "test"].includes(script) ? `npm ${script}` : `npm run ${script}`;
  return `Then repeat: ${command}`;
}
