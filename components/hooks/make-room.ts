import * as pulumi from "@pulumi/pulumi";
import { type Engine, nothing, textField } from "../../live/engine/engine.ts";
import type { Ownership } from "../ownership.ts";

/**
 * A hook that makes room for a container: one of that name which this stack made in an `up` that was
 * killed before it could note it down is removed, as it would bar its own creation for ever.
 *
 * Somebody else's container of that name stays, and the creation fails with the engine's own words.
 */
export function makeRoomFor(
  engine: Engine,
  container: string,
  { label: { label, value } }: Ownership,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`make-room-for-${container}`, async () => {
    const owned = { owner: textField(`index .Config.Labels "${label}"`) };
    const [found] = await engine.list(owned, "container", "inspect", container).catch(nothing);
    if (found?.owner !== value) return;
    // One that runs may lead streams: when it is stopped, it hands them on. What doesn't work here, the creation tells of.
    await engine.run("container", "stop", container).catch(nothing);
    await engine.run("container", "rm", "--force", container).catch(nothing);
  });
}
