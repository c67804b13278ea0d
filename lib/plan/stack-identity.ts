/** Whose a cluster's things on an engine are, and what they are called. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { listSome } from "../base/wording.ts";
import { OWNER_LABEL, STACK_LABEL } from "../nodes/labels.ts";
import { identityName, type StackIdentity } from "./settings.ts";

/**
 * The names that a cluster was made under, whatever its stack is called now, and the value that marks what it makes.
 *
 * Names and default ports on the engine derive from the names, and salts and keys from the owner.
 */
export interface Identity extends StackIdentity {
  /** 16 hexadecimal digits; no secret. */
  readonly owner: string;
}

export const identitySchema: z.ZodType<Identity> = z.object({
  project: z.string(),
  stack: z.string(),
  cluster: z.string().exactOptional(),
  owner: z.string().regex(/^[0-9a-f]+$/),
});

/**
 * The owner that a cluster begins with: the same in a preview and in the `up` after it, and again after a `destroy`, so
 * that volumes which were kept are its own. From then on it is what the state says.
 *
 * @param scope tells the backend that the state is in from others, as far as anybody can: two may be at one URL.
 */
export function deriveOwner(identity: StackIdentity, organization: string, scope: string): string {
  const text = `${organization}/${identityName(identity, "/")}@${scope}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Picks an owner for a stack that has made nothing yet. What runs under one is not its own: there is another state of
 * that name, or was. Volumes alone are what a `destroy` has kept.
 *
 * @param candidates the preferred one first.
 * @param live owners of the containers and networks on the engine.
 * @param kept owners of its volumes.
 * @returns undefined where one of them is live.
 */
export function chooseOwner(
  candidates: readonly string[],
  live: ReadonlySet<string>,
  kept: ReadonlySet<string>,
): string | undefined {
  if (candidates.some((owner) => live.has(owner))) return undefined;
  return candidates.find((owner) => kept.has(owner)) ?? candidates[0];
}

/** Takes a stack that has made nothing for the owner of what is on the engine, as its state is lost. */
export const OWNER_VARIABLE = "NATS_REGIONS_OWNER";

/**
 * What a person is told where the engine has things of another stack by the names that this one would give.
 *
 * @param found names and owners of those things.
 */
export function describeForeign(
  { stack, cluster }: StackIdentity,
  found: readonly { readonly name: string; readonly owner: string }[],
): string {
  const names = found.map(({ name }) => name);
  const owner = found.find((each) => each.owner !== "")?.owner;
  const [whose, another] =
    cluster === undefined
      ? [`stack ${stack}`, `stack of another name here, e.g. npm start -- --stack ${stack}2`]
      : [`cluster ${cluster} of a stack ${stack}`, "stack of another name here"];
  return [
    `Somebody else's ${whose} is on this Docker engine: ${listSome(names)}.`,
    `Use a ${another}, or destroy that one where it was made.`,
    ...(owner === undefined
      ? []
      : [
          `Only if it is yours, and its state is lost for good, take it over: ${cluster === undefined ? `${OWNER_VARIABLE}=${owner} npx pulumi up --stack ${stack}` : `owner: "${owner}" in its args`}`,
        ]),
  ].join("\n");
}

const label = z.object({ label: z.string(), value: z.string() });

const resource = z.looseObject({
  delete: z.boolean().optional(),
  inputs: z
    .looseObject({
      /** Of a volume. Anything else may have labels of another form. */
      labels: z.array(label).optional().catch(undefined),
      /** Of the network, which a Command makes; of others, anything. */
      environment: z
        .looseObject({ LABELS: z.string().optional(), OWNER: z.string().optional() })
        .optional()
        .catch(undefined),
    })
    .optional(),
});

const exported = z.object({
  deployment: z
    .looseObject({
      resources: z.array(resource).default([]),
      pending_operations: z.array(z.looseObject({ resource })).default([]),
    })
    .nullish(),
});

/**
 * Reads a cluster's identity out of its stack's state, by the labels of what it made, or began to make: every version has
 * labelled its network and volumes with both.
 *
 * The network comes first, as it can't be half replaced: one that nodes are on stays.
 *
 * @param state what `pulumi stack export` gives.
 * @param cluster see {@link StackIdentity.cluster}.
 * @returns undefined where the cluster has made nothing.
 */
export function identityIn(state: unknown, cluster?: string): Identity | undefined {
  const all = inputsIn(state);
  const labels = [
    ...all.map((inputs) => parseFlags(inputs?.environment?.LABELS)),
    ...all.map((inputs) => inputs?.labels ?? []),
  ];
  return labels.map(toIdentity).find((identity) => identity && identity.cluster === cluster);
}

/**
 * Reads out of a stack's state the owners that its steps were told, e.g. those of an `up` that was killed before it could
 * note down anything that has labels: nobody but the stack itself comes so far with them.
 *
 * @param state what `pulumi stack export` gives.
 */
export function ownersToldIn(state: unknown): ReadonlySet<string> {
  const told = inputsIn(state).map((inputs) => inputs?.environment?.OWNER ?? "");
  const prefix = `${OWNER_LABEL}=`;
  return new Set(
    told.filter((owner) => owner.startsWith(prefix)).map((owner) => owner.slice(prefix.length)),
  );
}

/** What resources are made from, or were to be made from by operations that never ended. */
function inputsIn(state: unknown) {
  const { deployment } = exported.parse(state);
  if (!deployment) return [];
  const { resources, pending_operations: pending } = deployment;
  return [...resources, ...pending.map((operation) => operation.resource)]
    .filter((each) => !each.delete)
    .map(({ inputs }) => inputs);
}

/** Takes `--label=a=b --label=c=d` apart. */
function parseFlags(flags = ""): z.output<typeof label>[] {
  return Array.from(flags.matchAll(/--label=([^\s=]+)=(\S*)/g), ([, label = "", value = ""]) => ({
    label,
    value,
  }));
}

function toIdentity(labels: readonly z.output<typeof label>[]): Identity | undefined {
  const read = (name: string) => labels.find(({ label }) => label === name)?.value;
  const owner = read(OWNER_LABEL);
  // A project's name has no slash in it, and neither has a stack's.
  const [project, stack, cluster] = read(STACK_LABEL)?.split("/") ?? [];
  const named = cluster === undefined ? {} : { cluster };
  return owner && project && stack ? { project, stack, ...named, owner } : undefined;
}
