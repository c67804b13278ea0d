import type { SettingsPlace } from "../../lib/base/settings-place.ts";
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
import { DockerError, type Engine, labelField, noAnswer, textField } from "./engine.ts";

/** A cluster's current names. */
export interface ClusterName extends StackIdentity {
  readonly organization: string;
}

/** Hints about a cluster's identity, for the case that its stack's state has none. */
export interface IdentityHints {
  /** The owner of what is on the engine, as a user gives it whose state was lost for good. */
  readonly owner?: string;
  /** Strings that distinguish the backend from others; new clusters use the first one. */
  readonly scopes: readonly string[];
}

/**
 * The hints in the environment.
 *
 * NATS_REGIONS_STATE_ID: a name for the backend if Pulumi is logged in to it. PULUMI_BACKEND_URL: the backend's URL if
 * that chooses it. The URL is always a hint as well, because volumes may have been kept from a time when it was the
 * only one.
 */
export function hintsFromEnvironment(): IdentityHints {
  const { NATS_REGIONS_STATE_ID: id, PULUMI_BACKEND_URL: url = "" } = process.env;
  const owner = process.env[OWNER_VARIABLE];
  return { scopes: [id ?? url, url], ...(owner ? { owner } : {}) };
}

/**
 * Finds a cluster's identity in its stack's state. If it has created nothing yet, it gets one that nothing on the
 * engine has.
 *
 * @throws Error with the message of `pulumi`; if there is no engine; or if another state's stack is on it.
 */
export async function findIdentity(
  engines: readonly Engine[],
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
  const place = settingsPlaceOf(name);
  const [containers, networks, volumes] = await Promise.all([
    listOwned(engines, place, ".Names", "ps", "--all"),
    listOwned(engines, place, ".Name", "network", "ls"),
    listOwned(engines, place, ".Name", "volume", "ls"),
  ]);
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

/** Lists the objects on engines with an owner label. @throws Error if one of them doesn't answer. */
async function listOwned(
  engines: readonly Engine[],
  place: SettingsPlace,
  name: string,
  ...command: readonly string[]
): Promise<Owned[]> {
  const fields = { name: textField(name), owner: labelField(OWNER_LABEL) };
  const filter = `--filter=label=${OWNER_LABEL}`;
  const lists = engines.map(async (engine) => {
    try {
      return await engine.list<Owned>(fields, ...command, filter);
    } catch (error) {
      if (error instanceof DockerError) throw new Error(noAnswer(error, engine, place));
      throw error;
    }
  });
  return (await Promise.all(lists)).flat();
}
