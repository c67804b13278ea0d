import * as pulumi from "@pulumi/pulumi";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { organizationOfRun } from "../mocked.ts";
import { createScript, nodeVariables, runCommand, type ScriptArgs } from "./script.ts";
import type { StepArgs } from "./step-args.ts";

const STOP_ALL =
  'nodes=$(docker ps --quiet --filter "label=$OWNER"); [ -z "$nodes" ] || docker stop $nodes';

/** Of a stack whose config has the settings, nothing but `destroy` takes the cluster away, and `npx pulumi` names its command. */
const STOP_UNLESS_REPLACED = `case "$NATS_REGIONS_COMMAND" in up | update) exit 0 ;; esac; ${STOP_ALL}`;

/**
 * Goes early when the cluster is destroyed, and stops all nodes at once: one after the other, in the
 * order in which the gates let them in, each would hand its leaders on to the next to go. Where an `up` is told to
 * replace it, which deletes the old one as well, they run on.
 */
export function createShutdown(
  name: string,
  args: Pick<StepArgs, "plan" | "ownership">,
  ready: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const isInProgram = settingsPlaceOf(args.plan.identity) === "program";
  return createScript(
    name,
    {
      delete: isInProgram ? runCommand("shut-down") : STOP_UNLESS_REPLACED,
      environment: {
        ...(isInProgram ? stepVariables(name) : {}),
        ...nodeVariables(args, undefined),
      },
    },
    { parent, dependsOn: [...ready] },
  );
}

/**
 * Makes the guard that goes first when a program has its cluster no more: it refuses where messages would be gone for good.
 *
 * @param after all that must still be there if it refuses: streams, the shutdown.
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
      isHeard: true,
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
