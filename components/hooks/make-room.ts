import * as pulumi from "@pulumi/pulumi";
import { type Engine, nothing, textField } from "../../live/engine/engine.ts";
import type { Ownership } from "../ownership.ts";

/**
 * A hook that removes a leftover container of the same name and owner. An `up` that was killed before it wrote its
 * state leaves one, and its name would block every later creation.
 *
 * Another owner's container stays, and the creation fails with the engine's own error.
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
    // A graceful stop lets a server hand over its stream leaders. Errors are ignored, because the creation reports
    // them.
    await engine.run("container", "stop", container).catch(nothing);
    await engine.run("container", "rm", "--force", container).catch(nothing);
  });
}
