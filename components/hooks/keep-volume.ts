import * as pulumi from "@pulumi/pulumi";
import { hasResource } from "../../lib/plan/replaced-steps.ts";
import { type Engine, nothing, textField } from "../../live/engine/engine.ts";
import { exportState } from "../../live/pulumi-cli/export-state.ts";
import { organizationOfRun } from "../mocked.ts";

/**
 * A hook that refuses to replace a volume, which `--replace` and `state taint` may ask for. Pulumi would make the new one
 * first, which is the old one still, as the engine keeps a volume whose name it is told to create; then it would delete
 * "the old one" in every later command, in vain while a node has it, and with all messages where none does.
 *
 * A volume that no state has yet is taken up, as after an `up` that was killed.
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
        `a volume of a node can't be replaced: leave it out of --replace or, where it was \`pulumi state taint\` that asked for it: pulumi state untaint '${urn}'. To make a node's data anew, remove its container and its volume, then pulumi up --refresh.`,
      );
    },
    { onDryRun: true },
  );
}
