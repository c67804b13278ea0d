import * as pulumi from "@pulumi/pulumi";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { organizationOfRun } from "../mocked.ts";
import { createScript, nodeVariables, runCommand, type ScriptArgs } from "./script.ts";
import type { StepArgs } from "./step-args.ts";

const STOP_ALL =
  'nodes=$(docker ps --quiet --filter "label=$OWNER"); [ -z "$nodes" ] || docker stop $nodes';

/**
 * With the settings in the stack's config, only `destroy` removes the cluster, and `npx pulumi` passes its command.
 */
const UNLESS_REPLACED = 'case "$NATS_REGIONS_COMMAND" in up | update) exit 0 ;; esac;';

/**
 * Creates the step that stops all nodes at once when the cluster is destroyed. Stopped one after the other, each would
 * hand its leaders to the next one. An `up` that replaces the step deletes the old one, too: then nodes keep running.
 */
export function createShutdown(
  name: string,
  args: Pick<StepArgs, "plan" | "ownership" | "engines">,
  ready: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const isInProgram = settingsPlaceOf(args.plan.identity) === "program";
  const hasOneEngine = args.engines.every(({ key }) => key === "");
  const stopAll = hasOneEngine ? STOP_ALL : runCommand("stop-all");
  return createScript(
    name,
    {
      delete: isInProgram ? runCommand("shut-down") : `${UNLESS_REPLACED} ${stopAll}`,
      environment: {
        ...(isInProgram ? stepVariables(name) : {}),
        ...nodeVariables(args, undefined),
      },
    },
    { parent, dependsOn: [...ready] },
  );
}

/**
 * Creates the guard that is deleted first when a program no longer has its cluster. It refuses if messages would be
 * lost for good.
 *
 * @param after what must still exist if it refuses: streams, the shutdown.
 */
export function createRemovalGuard(
  name: string,
  args: StepArgs,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): void {
  const { plan, caCertificate } = args;
  const expendable = plan.streams.filter(({ policy }) => policy.allowDataLoss);
  createScript(
    name,
    {
      delete: runCommand("check-removal"),
      environment: {
        ...stepVariables(name),
        ...nodeVariables(args, caCertificate),
        CLUSTER: plan.identity.cluster ?? plan.cluster,
        EXPENDABLE: JSON.stringify(
          expendable.map((each) => ({ account: each.account, name: each.name })),
        ),
        KEEPS_VOLUMES: String(plan.keepsVolumes),
      },
      showsStderr: true,
    },
    { parent, dependsOn: [...after] },
  );
}

function stepVariables(name: string): ScriptArgs["environment"] {
  return {
    ORGANIZATION: organizationOfRun(),
    PROJECT: pulumi.getProject(),
    STACK: pulumi.getStack(),
    STEP: name,
  };
}
