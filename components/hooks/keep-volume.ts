import * as pulumi from "@pulumi/pulumi";
import { hasResource } from "../../lib/plan/replaced-steps.ts";
import { type Engine, nothing, textField } from "../../live/engine/engine.ts";
import { exportState } from "../../live/pulumi-cli/export-state.ts";
import { organizationOfRun } from "../mocked.ts";

/**
 * A hook that refuses to replace a volume, as `--replace` and `state taint` ask for. Pulumi would create the new volume
 * first. The engine then keeps the existing one, as it does when a volume of that name exists. Every later command
 * would try to delete "the old one": in vain while a node uses it, and with all its messages otherwise.
 *
 * A volume that isn't in the state is adopted, as after an `up` that was killed.
 */
export function keepVolume(engine: Engine, volume: string): pulumi.ResourceHook {
  const name = {
    organization: organizationOfRun(),
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
  };
  return new pulumi.ResourceHook(
    `keep-${volume}`,
    async ({ urn }) => {
      const found = await engine
        .list({ name: textField(".Name") }, "volume", "inspect", volume)
        .catch(nothing);
      if (found.length === 0) return;
      if (!hasResource(await exportState(name), urn)) return;
      throw new Error(
        `a volume of a node can't be replaced: leave it out of --replace or, where it was \`pulumi state taint\` that asked for it: pulumi state untaint '${urn}'. To have a node's data copied again, remove its container and its volume, then pulumi up --refresh.`,
      );
    },
    { onDryRun: true },
  );
}
