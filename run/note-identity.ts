/** Prints a cluster's identity as JSON, for its stack's state. Run by a Command. */

import { findIdentity, hintsFromEnvironment } from "../live/engine/find-identity.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { scriptVariables } from "./variables.ts";

const variables = scriptVariables.pick({
  ORGANIZATION: true,
  PROJECT: true,
  STACK: true,
  CLUSTER: true,
});

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const {
    ORGANIZATION: organization,
    PROJECT: project,
    STACK: stack,
    CLUSTER,
  } = variables.parse(env);
  const cluster = CLUSTER === undefined ? {} : { cluster: CLUSTER };
  const name = { organization, project, stack, ...cluster };
  const engines = enginesFromEnvironment(env);
  console.log(JSON.stringify(await findIdentity(engines, name, hintsFromEnvironment())));
}
