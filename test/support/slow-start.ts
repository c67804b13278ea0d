import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";

/** Milliseconds in which the container has to start. */
const LIMIT = 120_000;

/**
 * Stops a container as soon as it starts, and starts it again later, to simulate a server that takes long to start. It
 * isn't paused: a server may think after a pause that the leader is lost, and disturb the new one (nats-server 2.15 has
 * no pre-vote).
 */
export async function startLate(container: string, milliseconds: number): Promise<void> {
  const filters = [`--filter=container=${container}`, "--filter=event=start"];
  const format = "--format={{.Actor.Attributes.name}}";
  const events = execa("docker", ["events", ...filters, format], {
    reject: false,
    timeout: LIMIT,
  });
  // The filter matches all names with this prefix.
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
