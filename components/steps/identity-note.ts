import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { StackIdentity } from "../../lib/plan/settings.ts";
import {
  deriveOwner,
  type Identity,
  identitySchema,
  OWNER_VARIABLE,
} from "../../lib/plan/stack-identity.ts";
import type { Engine } from "../../live/engine/engine.ts";
import { findIdentity, hintsFromEnvironment } from "../../live/engine/find-identity.ts";
import { enginesVariable } from "../../live/engine/told-engines.ts";
import { knownValue } from "../known-value.ts";
import { isMocked, organizationOfRun } from "../mocked.ts";
import { runCommand } from "./script.ts";

/**
 * The identity of a cluster, read from its stack's state, so that it doesn't depend on the backend, the login or the
 * current stack name.
 *
 * A stack that is renamed or whose state moves keeps its nodes. A new state gets a new identity, and so never takes
 * over what is on the engine, even with the same stack name and backend URL.
 *
 * A program can't read its state, but the outputs of an unchanged resource are known in a preview, too. So the first
 * `up` notes the identity in a Command, as its first resource and before anything is planned, and nothing changes that
 * Command afterwards. Without its output, the identity is found by the same steps again, from the labels of the
 * resources in the state: in the preview before the first `up`, in an `up` that skips the Command (`--target`), for
 * stacks that were created before this resource existed, and if it was removed from the state. It is a Command, because
 * its `create` runs only when needed: reading the state takes 0.4 s.
 */
export async function keepIdentity(
  engines: readonly Engine[],
  name: StackIdentity,
  owner: string | undefined,
  parent: pulumi.Resource,
): Promise<Identity> {
  const organization = organizationOfRun();
  const { project, stack, cluster } = name;
  const noted = new local.Command(
    cluster === undefined ? "identity" : `${cluster}-identity`,
    {
      create: runCommand("note-identity"),
      environment: {
        ORGANIZATION: organization,
        PROJECT: project,
        STACK: stack,
        ...enginesVariable(engines),
        // Variables in a user's environment are for stacks with a single cluster.
        ...(cluster === undefined ? {} : { CLUSTER: cluster, [OWNER_VARIABLE]: owner ?? "" }),
      },
      logging: local.Logging.None,
    },
    { ignoreChanges: ["*"], ...(cluster === undefined ? {} : { parent }) },
  );
  await refuseWithoutEngines(noted, engines);
  if (isMocked()) return { ...name, owner: owner ?? deriveOwner(name, organization, "") };
  const json = await knownValue(noted.stdout);
  if (json !== undefined) return identitySchema.parse(JSON.parse(json));
  try {
    const hints = hintsFromEnvironment();
    const told =
      cluster === undefined ? hints : { scopes: hints.scopes, ...(owner ? { owner } : {}) };
    return await findIdentity(engines, { organization, ...name }, told);
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : `${error}`);
  }
}

/**
 * Without its engines, a cluster's nodes would be made anew on the engine that the environment chooses, without their
 * data. What the note was made with says that there were engines, as nothing changes it.
 */
async function refuseWithoutEngines(
  { environment }: local.Command,
  engines: readonly Engine[],
): Promise<void> {
  if (engines.some(({ place }) => place !== undefined)) return;
  const { ENGINES } = (await knownValue(environment)) ?? {};
  if (ENGINES === undefined) return;
  throw new pulumi.RunError(
    "engines: the stack's nodes are on engines that the settings name no more, with their data. Put engines back; a new stack without engines can take over the streams as mirrors.",
  );
}
