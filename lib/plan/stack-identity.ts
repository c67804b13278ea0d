/** The identity of a cluster: who owns its resources on an engine, and how these are named. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { listSome } from "../base/wording.ts";
import { OWNER_LABEL, STACK_LABEL } from "../nodes/labels.ts";
import { identityName, type StackIdentity } from "./settings.ts";

/**
 * The names under which a cluster was created, which stay even if its stack is renamed, and its owner id, which
 * labels its resources. Names and default ports on the engine derive from the names; salts and keys derive from the
 * owner id.
 */
export interface Identity extends StackIdentity {
  /** 16 hexadecimal digits; not a secret. */
  readonly owner: string;
}

export const identitySchema: z.ZodType<Identity> = z.object({
  project: z.string(),
  stack: z.string(),
  cluster: z.string().exactOptional(),
  owner: z.string().regex(/^[0-9a-f]+$/),
});

/**
 * Derives the owner id of a new cluster. It is the same in a preview and the `up` after it, and again after a
 * `destroy`, so that kept volumes still belong to the cluster. Once the cluster exists, the owner id in its state
 * counts.
 *
 * @param scope distinguishes the backend of the state from others, as far as possible: two backends may have the same
 *   URL.
 * @returns 16 hexadecimal digits.
 */
export function deriveOwner(identity: StackIdentity, organization: string, scope: string): string {
  const text = `${organization}/${identityName(identity, "/")}@${scope}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Chooses the owner id of a stack that has created nothing yet. Containers or networks with a candidate's id belong to
 * another stack of that name, or to a state that is lost. Volumes alone were kept by a `destroy`, and are reused.
 *
 * @param candidates owner ids, the preferred one first.
 * @param live owner ids of containers and networks on the engine.
 * @param kept owner ids of volumes on the engine.
 * @returns undefined if one of the candidates is live.
 */
export function chooseOwner(
  candidates: readonly string[],
  live: ReadonlySet<string>,
  kept: ReadonlySet<string>,
): string | undefined {
  if (candidates.some((owner) => live.has(owner))) return undefined;
  return candidates.find((owner) => kept.has(owner)) ?? candidates[0];
}

/**
 * Environment variable with the owner id of resources that a new stack is to take over, because their state is lost.
 */
export const OWNER_VARIABLE = "NATS_REGIONS_OWNER";

/**
 * The error if the engine has resources of another stack whose names this stack needs.
 *
 * @param found names and owner ids of these resources.
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
      /** Labels of a volume. Those of other resources may have another form. */
      labels: z.array(label).optional().catch(undefined),
      /** Environment of the Command that creates the network. That of other resources may be anything. */
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
 * Reads a cluster's identity from its stack's state, by the labels of networks and volumes that it created or began to
 * create: every version has set both labels on these.
 *
 * The network's labels come first, as a network with nodes can't be replaced, whereas some volumes may be.
 *
 * @param state output of `pulumi stack export`.
 * @param cluster see {@link StackIdentity.cluster}.
 * @returns undefined if the cluster has created nothing.
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
 * Reads the owner ids that a state's Commands have in their environment. They identify the stack's own resources even
 * if its first `up` was killed before the state had a resource with labels.
 *
 * @param state output of `pulumi stack export`.
 */
export function commandOwnersIn(state: unknown): ReadonlySet<string> {
  const owners = inputsIn(state).map((inputs) => inputs?.environment?.OWNER ?? "");
  const prefix = `${OWNER_LABEL}=`;
  return new Set(
    owners.filter((owner) => owner.startsWith(prefix)).map((owner) => owner.slice(prefix.length)),
  );
}

/** The inputs of all resources, and of operations that never finished. */
function inputsIn(state: unknown) {
  const { deployment } = exported.parse(state);
  if (!deployment) return [];
  const { resources, pending_operations: pending } = deployment;
  return [...resources, ...pending.map((operation) => operation.resource)]
    .filter((each) => !each.delete)
    .map(({ inputs }) => inputs);
}

/** Parses `--label=a=b --label=c=d`. */
function parseFlags(flags = ""): z.output<typeof label>[] {
  return Array.from(flags.matchAll(/--label=([^\s=]+)=(\S*)/g), ([, label = "", value = ""]) => ({
    label,
    value,
  }));
}

function toIdentity(labels: readonly z.output<typeof label>[]): Identity | undefined {
  const read = (name: string) => labels.find(({ label }) => label === name)?.value;
  const owner = read(OWNER_LABEL);
  // Names of projects and stacks contain no slash.
  const [project, stack, cluster] = read(STACK_LABEL)?.split("/") ?? [];
  const named = cluster === undefined ? {} : { cluster };
  return owner && project && stack ? { project, stack, ...named, owner } : undefined;
}
