import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";

/** Milliseconds within which the container has to be started. */
const LIMIT = 120_000;

/**
 * Stops a container as soon as it is started, and starts it again later: a server that takes long to come back. Not
 * by a pause, after which a server may take an old leader to be lost, and disturb the new one (nats-server 2.15 asks for
 * votes without asking first whether it could have them).
 */
export async function startLate(container: string, milliseconds: number): Promise<void> {
  const filters = [`--filter=container=${container}`, "--filter=event=start"];
  const format = "--format={{.Actor.Attributes.name}}";
  const events = execa("docker", ["events", ...filters, format], {
    reject: false,
    timeout: LIMIT,
  });
  // The filter takes all whose names begin like that.
  for await (const name of events) {
    if (name !== container) continue;
    await execa("docker", ["stop", container]);
    events.kill();
  }
  const { timedOut } = await events;
  if (timedOut) throw new Error(`${container} wasn't started within ${LIMIT / 1_000} s`);
  await sleep(milliseconds);
  await execa("docker", ["start", container]);
}
