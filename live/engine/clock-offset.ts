import { DockerError, type Engine } from "./engine.ts";

/**
 * How far an engine's clock is from this machine's, at least: milliseconds, negative where it is behind. 0 if they may be
 * the same, as the answer takes its time, and if the engine doesn't tell.
 */
export async function clockOffset(engine: Engine): Promise<number> {
  const asked = Date.now();
  const time = Date.parse(await tellTime(engine));
  if (time < asked) return time - asked;
  return Math.max(0, time - Date.now()) || 0;
}

async function tellTime(engine: Engine): Promise<string> {
  try {
    return await engine.run("info", "--format={{.SystemTime}}");
  } catch (error) {
    if (error instanceof DockerError) return "";
    throw error;
  }
}
