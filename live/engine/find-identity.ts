import { OWNER_LABEL } from "../../lib/nodes/labels.ts";
import { type StackIdentity, settingsPlaceOf } from "../../lib/plan/settings.ts";
import {
  chooseOwner,
  commandOwnersIn,
  deriveOwner,
  describeForeign,
  type Identity,
  identityIn,
  identitySchema,
  OWNER_VARIABLE,
} from "../../lib/plan/stack-identity.ts";
import { exportState } from "../pulumi-cli/export-state.ts";
import { DockerError, type Engine, labelField, noEngine, textField } from "./engine.ts";

/** A cluster as it is called now. */
export interface ClusterName extends StackIdentity {
  readonly organization: string;
}

/** What tells of a cluster whose stack's state doesn't. */
export interface IdentityHints {
  /** Of what is on the engine, as a person names it whose state is lost for good. */
  readonly owner?: string;
  /** What tells the backend from others; the first one counts for clusters that are yet to be made. */
  readonly scopes: readonly string[];
}

/**
 * The hints that the environment has.
 *
 * NATS_REGIONS_STATE_ID: what the backend is called where Pulumi is logged in to it. PULUMI_BACKEND_URL: the same where it
 * is chosen by that. By the second one, volumes may have been kept that were made before a login told one backend from
 * another.
 */
export function hintsFromEnvironment(): IdentityHints {
  const { NATS_REGIONS_STATE_ID: id, PULUMI_BACKEND_URL: url = "" } = process.env;
  const owner = process.env[OWNER_VARIABLE];
  return { scopes: [id ?? url, url], ...(owner ? { owner } : {}) };
}

/**
 * Finds out who a cluster is: by its stack's state, else, where it has made nothing yet, as nobody who is on the engine.
 *
 * @throws Error in the words of `pulumi`, where there is no engine, or where another state's stack is on it.
 */
export async function findIdentity(
  engine: Engine,
  { organization, ...name }: ClusterName,
  { owner: given, scopes }: IdentityHints,
): Promise<Identity> {
  const { project, stack, cluster } = name;
  const state = await exportState({ organization, project, stack });
  const known = identityIn(state, cluster);
  if (known) return known;
  if (given) return identitySchema.parse({ ...name, owner: given });
  const owners = scopes.map((scope) => deriveOwner(name, organization, scope));
  const told = commandOwnersIn(state);
  const begun = owners.find((owner) => told.has(owner));
  if (begun !== undefined) return { ...name, owner: begun };
  const [containers, networks, volumes] = await Promise.all([
    listOwned(engine, ".Names", "ps", "--all"),
    listOwned(engine, ".Name", "network", "ls"),
    listOwned(engine, ".Name", "volume", "ls"),
  ]).catch((error: unknown) => {
    throw error instanceof DockerError ? new Error(noEngine(error, settingsPlaceOf(name))) : error;
  });
  const live = [...containers, ...networks];
  const ownersOf = (found: readonly Owned[]) => new Set(found.map(({ owner }) => owner));
  const owner = chooseOwner(owners, ownersOf(live), ownersOf(volumes));
  if (owner !== undefined) return { ...name, owner };
  const foreign = live.filter((found) => owners.includes(found.owner));
  throw new Error(describeForeign(name, foreign));
}

interface Owned {
  readonly name: string;
  readonly owner: string;
}

/** Lists what stacks of this project have on the engine. */
async function listOwned(
  engine: Engine,
  name: string,
  ...command: readonly string[]
): Promise<Owned[]> {
  const fields = { name: textField(name), owner: labelField(OWNER_LABEL) };
  return await engine.list<Owned>(fields, ...command, `--filter=label=${OWNER_LABEL}`);
}
