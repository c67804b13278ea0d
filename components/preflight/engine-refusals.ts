import { createServer } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { hostAndPort, isEverywhere, isLoopback } from "../../lib/base/addresses.ts";
import {
  howToSet,
  howToUnset,
  pulumiCommand,
  type SettingsPlace,
} from "../../lib/base/settings-place.ts";
import { imageVersion, whyNotTogether } from "../../lib/nodes/versions.ts";
import { type ClusterPlan, type NodePlan, nodesOf, UNKNOWN_KEY } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { describeForeign } from "../../lib/plan/stack-identity.ts";
import { type Engine, formerKeyOf, nothing, textField } from "../../live/engine/engine.ts";
import type { ClusterEngines } from "../../live/engine/engines-of.ts";
import { isMocked } from "../mocked.ts";
import { engineNode, type Found, type FoundContainer, partition, tlsOf } from "./engine-finds.ts";

/**
 * Refuses engines that don't go together with the settings, or with Pulumi's Docker provider. Engines of the settings
 * have their own providers and addresses.
 *
 * @throws pulumi.RunError naming the way out.
 */
export async function refuseEngines(
  engines: readonly Engine[],
  settings: Pick<ClusterPlan, "bindAddress">,
  place: SettingsPlace,
): Promise<void> {
  const [sole] = engines.filter(({ key }) => key === "");
  if (!sole) return;
  refuseEngineOfConfig(sole, place);
  if (place === "program" && !isMocked()) await refuseContextInUse(sole);
  refuseUnreachable(sole, settings, place);
}

/**
 * Refuses to go on where no engine answers, or where nodes are to leave one that doesn't.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseSilence({ engines, answering, silent }: ClusterEngines): void {
  const lines = [...silent].map(([key, reason]) => `  ${key}: ${reason}`).join("\n");
  if (answering.length === 0) throw new pulumi.RunError(`engines: none of them answers:\n${lines}`);
  const former = engines.filter(({ key, isFormer }) => isFormer && silent.has(key));
  if (former.length === 0) return;
  throw new pulumi.RunError(
    `engines: nodes are to leave ${former.map(({ key }) => key).join(", ")}, which doesn't answer, so that nothing can move off it:\n${lines}\nPut its region and engine back until it answers; or, if its machine is lost for good, say so: lost: ${JSON.stringify(former.map(({ key }) => formerKeyOf(key)))}.`,
  );
}

/**
 * Refuses what needs an engine that doesn't answer: a new cluster, and nodes that are yet to be made there.
 *
 * @param isNew whether none of the nodes exists.
 * @throws pulumi.RunError naming the way out.
 */
export function refuseUnmade(
  { silent, recorded }: ClusterEngines,
  plan: ClusterPlan,
  isNew: boolean,
): void {
  const unmade = nodesOf(plan).filter(
    ({ engine, containerName }) =>
      engine !== undefined && silent.has(engine.key) && !recorded?.has(containerName),
  );
  if (unmade.length === 0 && !(isNew && silent.size > 0)) return;
  const lines = [...silent].map(([key, reason]) => `  ${key}: ${reason}`).join("\n");
  const names = unmade.map(({ name }) => name).join(", ");
  throw new pulumi.RunError(
    `engines: ${names} can't be made, as no engine answers there, and nothing was changed:\n${lines}`,
  );
}

/**
 * With a remote engine, nodes must be published on an address of that machine: its loopback can't be reached from here,
 * and `0.0.0.0` or `::` isn't an address to connect to.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseUnreachable(
  { isLocal, host }: Engine,
  { bindAddress }: Pick<ClusterPlan, "bindAddress">,
  place: SettingsPlace = "config",
): void {
  if (isLocal || !(isLoopback(bindAddress) || isEverywhere(bindAddress))) return;
  throw new pulumi.RunError(
    `bindAddress: nodes on ${host} can't be reached at ${bindAddress}.\nSet it to an address of that machine: ${howToSet(place, "bindAddress", "10.0.0.5")}`,
  );
}

/**
 * Pulumi's Docker provider (5.2) reads DOCKER_HOST and DOCKER_CONTEXT, but ignores the context that `docker context
 * use` has chosen: nodes would be created on one engine, and their network on another.
 *
 * @throws pulumi.RunError naming the way out.
 */
export async function refuseContextInUse(engine: Engine): Promise<void> {
  if (engine.isNamed) return;
  const fields = { name: textField(".Name"), host: textField(".Endpoints.docker.Host") };
  const [context] = await engine.list(fields, "context", "inspect").catch(nothing);
  if (!context || context.name === "default") return;
  throw new pulumi.RunError(
    `The docker context in use, ${context.name}, leads to ${context.host}, where Pulumi's Docker provider doesn't follow: nodes would be made on another engine than their network.\nName the engine to both: export DOCKER_HOST=${context.host}`,
  );
}

/**
 * The Docker provider prefers the stack's config to the environment.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseEngineOfConfig({ host, context }: Engine, place: SettingsPlace): void {
  const config = new pulumi.Config("docker");
  for (const [key, variable, named] of [
    ["host", "DOCKER_HOST", host],
    ["context", "DOCKER_CONTEXT", context],
  ] as const) {
    const given = config.get(key);
    if (given === undefined || given === named) continue;
    throw new pulumi.RunError(
      `docker:${key}: Pulumi's Docker provider would make nodes on ${given}, and their network would be made on the engine that the environment names.\nName it to both: ${pulumiCommand(place)} config rm docker:${key} && export ${variable}=${given}`,
    );
  }
}

/**
 * Refuses an engine that has nothing of its nodes, though the stack's state has them there: it is another engine, or one
 * whose disk was replaced. Its nodes would begin with nothing, as if they had lost no message.
 *
 * @param engines those that answer.
 * @param found containers and volumes of the stack.
 * @param recorded names of the containers in the stack's state.
 * @throws pulumi.RunError naming the way out.
 */
export function refuseEmptied(
  engines: readonly Engine[],
  found: readonly { readonly engine: Engine }[],
  plan: ClusterPlan,
  recorded: ReadonlySet<string>,
): void {
  const filled = new Set(found.map(({ engine }) => engine.key));
  const empty = new Set(engines.map(({ key }) => key).filter((key) => !filled.has(key)));
  const lost = nodesOf(plan).filter(
    ({ engine, containerName }) =>
      engine !== undefined && empty.has(engine.key) && recorded.has(containerName),
  );
  const lines = [...Map.groupBy(lost, ({ engine }) => engine?.key)].map(
    ([key, nodes]) =>
      `  ${key}: ${nodes[0]?.engine?.host} has nothing of ${nodes.map(({ name }) => name).join(", ")}`,
  );
  if (lines.length === 0) return;
  const command = pulumiCommand(settingsPlaceOf(plan.identity));
  throw new pulumi.RunError(
    `engines: other engines than those that have the nodes, or their data is gone:\n${lines.join("\n")}\nLead to the engines that have them. Only if their data is lost for good: \`${command} refresh --target '**${lost[0]?.engine?.key}*'\` lets go of it, and the next up makes the nodes anew, which copy what the others have.`,
  );
}

/**
 * Refuses nodes that are on another engine than planned: a node's data stays where it is, so that a region moves by a
 * new region.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseElsewhere(own: readonly FoundContainer[], plan: ClusterPlan): void {
  const planned = new Map(
    nodesOf(plan).map(({ containerName, engine }) => [containerName, engine?.key ?? ""] as const),
  );
  refuseDoubles(own);
  const moved = own.filter(({ name, engine }) => (planned.get(name) ?? engine.key) !== engine.key);
  if (moved.length === 0) return;
  const lines = moved.map(
    ({ node, name, engine }) => `  ${node}: on ${engine.key}'s, and not on ${planned.get(name)}'s`,
  );
  throw new pulumi.RunError(
    `engines: nodes are on other engines than the settings say, with their data:\n${lines.join("\n")}\nPut the engines back. A region moves by a new region: add one on the new engine, and then take the old one out.`,
  );
}

/** By its id, two hosts of the settings lead to one engine. */
function refuseDoubles(own: readonly FoundContainer[]): void {
  for (const { id, engine, node } of own) {
    const other = own.find((each) => each.id === id && each.engine.key !== engine.key)?.engine;
    if (!other?.place || !engine.place) continue;
    throw new pulumi.RunError(
      `engines: ${engine.key} and ${other.key} are one engine, as both have ${node}.\nGive both the same host, ${engine.place.host} or ${other.place.host}.`,
    );
  }
}

export function refuseForeign(found: readonly Found[], plan: ClusterPlan, owner: string): void {
  const planned = new Set([
    plan.prefix,
    ...nodesOf(plan).flatMap((node) => [node.containerName, node.configVolume, node.dataVolume]),
  ]);
  const foreign = found.filter((each) => planned.has(each.name) && each.owner !== owner);
  if (foreign.length === 0) return;
  throw new pulumi.RunError(describeForeign(plan.identity, foreign));
}

export function refuseOtherCluster(own: readonly FoundContainer[], { cluster }: ClusterPlan): void {
  const other = own.find((found) => found.cluster !== cluster);
  if (!other) return;
  throw new pulumi.RunError(
    `cluster: ${other.node} belongs to cluster "${other.cluster}", and a server can't take its streams into "${cluster}".\nPut the name back, or make another stack for the new cluster.`,
  );
}

/**
 * With another key, or none, a server can't read what it has stored, and doesn't start. In a cluster that is true of a
 * `prev_key` as well, as the servers' own groups don't use it (nats-server 2.15, `recoverAEK` in filestore.go).
 */
export function refuseOtherKey(own: readonly FoundContainer[], plan: ClusterPlan): void {
  const [planned] = nodesOf(plan);
  const key = planned?.restartSettings.encryptionKey;
  if (key === UNKNOWN_KEY) return;
  const other = own.find((container) => {
    const noted = engineNode(container).settings?.encryptionKey;
    return noted !== undefined && noted !== key;
  });
  if (!other) return;
  const [setting, what] =
    key === undefined ? ["encryption", "without its key"] : ["encryptionKey", "with another key"];
  throw new pulumi.RunError(
    `${setting}: ${other.node} has encrypted what it stores, and couldn't read it ${what}.\nPut it back; for another key make another stack, and copy the streams there.`,
  );
}

/**
 * Two nodes connect a route only if both have TLS with authorities that the other trusts, or if both have none. A
 * rolling change of `tls` would therefore split the cluster.
 */
export function refuseMixedTls(own: readonly FoundContainer[], plan: ClusterPlan): void {
  const other = own
    .filter((container) => tlsOf(container) !== plan.tls)
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const planned = new Set(nodesOf(plan).map(({ containerName }) => containerName));
  const [staying, leaving] = partition(other, ({ name }) => planned.has(name));
  const [leaver] = leaving;
  if (leaver) {
    throw new pulumi.RunError(
      `tls: ${leaver.node} is to leave, but nodes with tls: ${plan.tls} don't talk to it, so that nothing could move off it.\nTake nodes out first, with tls: ${tlsOf(leaver)}, and change tls in an update of its own.`,
    );
  }
  const [first] = staying;
  if (!first || plan.rollout === "all") return;
  const place = settingsPlaceOf(plan.identity);
  const atOnce = `${howToSet(place, "rollout", "all")}, then ${pulumiCommand(place)} up, then ${howToUnset(place, "rollout")}`;
  throw new pulumi.RunError(
    `tls: ${first.node} runs with tls: ${tlsOf(first)}, and doesn't talk to nodes with tls: ${plan.tls}: changed one after the other, they would take the cluster apart.\nKeep it: ${howToSet(place, "tls", tlsOf(first))}; or change all nodes at once, which is an outage of some seconds and cuts off clients that don't follow: ${atOnce}.`,
  );
}

/** During a rollout, the nodes of finished waves have the new image, the others the old one. */
export function refuseMixedVersions(
  own: readonly FoundContainer[],
  { identity, image, rollout }: ClusterPlan,
): void {
  const planned = imageVersion(image);
  if (!planned || rollout === "all") return;
  for (const container of own) {
    const running = imageVersion(`${engineNode(container).settings?.image ?? ""}`);
    const reason = running && whyNotTogether(running, planned);
    if (!reason) continue;
    throw new pulumi.RunError(
      `image: ${container.node} can't be changed to ${image} while the others run: ${reason}.\nGo to a version between the two first, e.g. ${howToSet(settingsPlaceOf(identity), "image", "nats:2.14.9")}, then on.`,
    );
  }
}

/** Of ports of another machine, only those are known to be taken that the stack's own nodes have. */
export async function refuseTakenPorts(
  engines: readonly Engine[],
  own: readonly FoundContainer[],
  plan: ClusterPlan,
): Promise<void> {
  const local = new Set(engines.filter(({ isLocal }) => isLocal).map(({ key }) => key));
  const taken = await Promise.all(
    nodesOf(plan).map((node) => {
      const key = node.engine?.key ?? "";
      const beside = own.filter(({ engine }) => engine.key === key);
      return findTakenPort(node, beside, plan, local.has(key));
    }),
  );
  const problems = taken.filter((problem) => problem !== undefined);
  if (problems.length === 0) return;
  throw new pulumi.RunError(
    `Ports are in use, nothing was changed:\n${problems.map((line) => `  ${line}`).join("\n")}\nStop what holds them, or choose others: ${howToSet(settingsPlaceOf(plan.identity), "clientPort", 5222)}`,
  );
}

/**
 * A port that the node itself holds is fine. One that another node holds isn't free in time.
 *
 * @param beside the stack's own containers on its engine.
 */
async function findTakenPort(
  { name, containerName, clientPort, routePort, monitorPort, listeners, bindAddress }: NodePlan,
  beside: readonly FoundContainer[],
  { monitorAddress }: ClusterPlan,
  isLocal: boolean,
): Promise<string | undefined> {
  const published = [
    ["clientPort", clientPort, bindAddress],
    ["routePort", routePort, bindAddress],
    ["monitorPort", monitorPort, monitorAddress],
    ...listeners.map(({ setting, port }) => [setting, port, bindAddress] as const),
  ] as const;
  for (const [setting, port, address] of published) {
    if (port === undefined) continue;
    const holder = beside.find(({ publishedPorts }) => publishedPorts.has(port));
    if (holder?.name === containerName) continue;
    if (isLocal ? await canListen(port, address) : !holder) continue;
    const held = holder ? `held by ${holder.node} until this update has ended` : "in use";
    return `${setting}: ${hostAndPort(address, port)}, wanted for ${name}, is ${held}`;
  }
  return undefined;
}

function canListen(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen({ port, host: address, exclusive: true, ipv6Only: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
