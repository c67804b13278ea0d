/**
 * Prints who a stack is, as JSON, for its state to keep. Run by a Command.
 *
 * ORGANIZATION, PROJECT, STACK: what it is called now.
 */
import { z } from "zod";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { findIdentity } from "../live/engine/find-identity.ts";

const { ORGANIZATION, PROJECT, STACK } = z
  .object({ ORGANIZATION: z.string(), PROJECT: z.string(), STACK: z.string() })
  .parse(process.env);

try {
  const name = { organization: ORGANIZATION, project: PROJECT, stack: STACK };
  console.log(JSON.stringify(await findIdentity(engineFromEnvironment(), name)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
