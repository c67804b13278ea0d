/**
 * Prints who a cluster is, as JSON, for its stack's state to keep. Run by a Command.
 *
 * ORGANIZATION, PROJECT, STACK: what the stack is called now. CLUSTER: which one of its clusters; unset where it has one.
 */
import { z } from "zod";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { findIdentity } from "../live/engine/find-identity.ts";

const { ORGANIZATION, PROJECT, STACK, CLUSTER } = z
  .object({
    ORGANIZATION: z.string(),
    PROJECT: z.string(),
    STACK: z.string(),
    CLUSTER: z.string().exactOptional(),
  })
  .parse(process.env);

try {
  const cluster = CLUSTER === undefined ? {} : { cluster: CLUSTER };
  const name = { organization: ORGANIZATION, project: PROJECT, stack: STACK, ...cluster };
  console.log(JSON.stringify(await findIdentity(engineFromEnvironment(), name)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
