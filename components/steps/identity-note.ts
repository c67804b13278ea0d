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
import { knownValue } from "../known-value.ts";
import { isMocked, organizationOfRun } from "../mocked.ts";
import { runCommand } from "./script.ts";

/**
 * Who a cluster is: what its stack's state says, wherever that lies, however one logged in, and whatever the stack is
 * called by now.
 *
 * That it derives from neither the stack's name nor the backend's URL keeps a stack that is renamed, or whose state
 * moves, on its nodes; and a state that knows of no identity is nobody that is on the engine already, though its name
 * and its backend's URL be the same. A program can't read its state, but outputs of a resource that doesn't change are
 * known in a preview too: so the first `up` notes the identity down, as its first resource and before anything is
 * planned, in a Command that nothing changes afterwards. Where there is none to be had, as in the preview before, or an
 * `up` that leaves the Command out (`--target`), it is found by the same steps again: with the labels of what the state
 * has, which is also how stacks go on that were made before there was this resource, and where it was taken out of the
 * state. A Command, as only its `create` runs in that one case: reading the state takes 0.4 s.
 */
export async function keepIdentity(
  engine: Engine,
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
        // What a person has in the environment is about the one cluster of a stack.
        ...(cluster === undefined ? {} : { CLUSTER: cluster, [OWNER_VARIABLE]: owner ?? "" }),
      },
      logging: local.Logging.None,
    },
    { ignoreChanges: ["*"], ...(cluster === undefined ? {} : { parent }) },
  );
  if (isMocked()) return { ...name, owner: owner ?? deriveOwner(name, organization, "") };
  const json = await knownValue(noted.stdout);
  if (json !== undefined) return identitySchema.parse(JSON.parse(json));
  try {
    const hints = hintsFromEnvironment();
    const told =
      cluster === undefined ? hints : { scopes: hints.scopes, ...(owner ? { owner } : {}) };
    return await findIdentity(engine, { organization, ...name }, told);
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : `${error}`);
  }
}
