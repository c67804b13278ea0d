/**
 * Which failures a group of replicas survives. A group survives the loss of nodes if a majority of its replicas is
 * left, as every write needs one (nats-server 2.15, raft.go). If the server may choose the hosts, the result covers
 * all choices; they are counted, not enumerated.
 */

import type { NodePlace } from "../topology/topology.ts";
import { type Fleet, hostsWithoutSpare } from "./placement.ts";
import type { Seating } from "./room.ts";

/**
 * `zone`: a zone of one region. `zoneEverywhere`: the same zone in all regions, to which `unique_tag: "az:"` refers.
 */
export type LossKind = "node" | "zone" | "zoneEverywhere" | "region";

/** A failure: nodes that are down together. */
export interface Loss {
  readonly kind: LossKind;
  /** Name of the node, zone or region, e.g. `rg2-az1`, `rg2-az1`, `az1`, `rg2` for the four kinds. */
  readonly name: string;
  readonly nodes: readonly string[];
}

/** `depends`: it depends on the hosts that the server chooses. */
export type Outcome = "survives" | "lost" | "depends";

export interface LossOutcome extends Pick<Loss, "kind" | "name"> {
  readonly outcome: Outcome;
}

export interface Survivability {
  /** One line for users, e.g. `survives any node or zone; lost with region rg2`. */
  readonly summary: string;
  /** The outcome of each loss, in the order of the losses that were judged. */
  readonly losses: readonly LossOutcome[];
  /**
   * The hosts whose replica can't be replaced while they are down: no other server is eligible, or the remaining
   * replicas are no majority, so that there is no leader to add one.
   */
  readonly irreplaceable: readonly string[];
}

/** Lists all losses: each node, each zone of a region, each zone in all regions, each region, in this order. */
export function lossesOf(nodes: readonly Pick<NodePlace, "name" | "region" | "zone">[]): Loss[] {
  const together = (kind: LossKind, nameOf: (node: (typeof nodes)[number]) => string): Loss[] =>
    [...Map.groupBy(nodes, nameOf)].map(([name, members]) => ({
      kind,
      name,
      nodes: members.map((node) => node.name),
    }));
  return [
    ...together("node", ({ name }) => name),
    ...together("zone", ({ region, zone }) => `${region}-${zone}`),
    ...together("zoneEverywhere", ({ zone }) => zone),
    ...together("region", ({ region }) => region),
  ];
}

/** The seating of the meta group, in which every server votes. */
export function metaSeating({ servers }: Pick<Fleet, "servers">): Seating {
  return settledSeating(servers.map(({ name }) => name));
}

/** The seating of replicas whose hosts are known. */
export function settledSeating(hosts: readonly string[]): Seating {
  return { replicas: hosts.length, seats: hosts.map((name) => [name]) };
}

/** The number of replicas that a majority needs. */
export function majorityOf(replicas: number): number {
  return Math.floor(replicas / 2) + 1;
}

/**
 * Judges each loss.
 *
 * @param seating must have at least as many seats as replicas.
 */
export function judgeLosses(seating: Seating, losses: readonly Loss[]): Survivability {
  const judged = losses.map((loss) => ({ ...loss, outcome: outcomeOf(seating, loss.nodes) }));
  return {
    summary: summarize(judged),
    losses: judged.map(({ kind, name, outcome }) => ({ kind, name, outcome })),
    irreplaceable: tolerance(seating) === 0 ? seating.seats.flat() : hostsWithoutSpare(seating),
  };
}

/** Whether a group keeps its majority while these nodes are down, whichever hosts the server chose. */
export function survives(seating: Seating, nodes: readonly string[]): boolean {
  return outcomeOf(seating, nodes) === "survives";
}

/**
 * Judges one loss. The server may choose any seats, and any server of a seat. At worst, replicas are in every seat
 * with a lost server, on that server; at best they are on servers that are left.
 */
export function outcomeOf(seating: Seating, nodes: readonly string[]): Outcome {
  const { replicas, seats } = seating;
  const gone = new Set(nodes);
  const touched = seats.filter((seat) => seat.some((name) => gone.has(name))).length;
  const spared = seats.filter((seat) => seat.some((name) => !gone.has(name))).length;
  const atWorst = Math.min(replicas, touched);
  const atBest = replicas - Math.min(replicas, spared);
  if (atWorst <= tolerance(seating)) return "survives";
  return atBest > tolerance(seating) ? "lost" : "depends";
}

/** The number of replicas that a group can lose without losing its majority. */
function tolerance({ replicas }: Seating): number {
  return replicas - majorityOf(replicas);
}

interface JudgedLoss extends Loss {
  readonly outcome: Outcome;
}

/** Leaves out zones everywhere that survive, as those say no more than their zones one by one. */
function summarize(losses: readonly JudgedLoss[]): string {
  const kinds = ["node", "zone", "region"] as const;
  const survived = kinds.filter((kind) =>
    losses.every((loss) => loss.kind !== kind || loss.outcome === "survives"),
  );
  const lost = describeLosses("lost", losses);
  const uncertain = describeLosses("depends", losses);
  return [
    ...(survived.length > 0 ? [`survives any ${listNames(survived)}`] : []),
    ...(lost.length > 0 ? [`lost with ${lost.join(", or ")}`] : []),
    ...(uncertain.length > 0 ? [`may be lost with ${uncertain.join(", or ")}`] : []),
  ].join("; ");
}

/** Describes the losses of one outcome by kind, e.g. `["any node"]`, `["region rg1 or rg2"]`. */
function describeLosses(outcome: Outcome, losses: readonly JudgedLoss[]): string[] {
  const shown = losses.filter((loss) => loss.outcome === outcome && !isImplied(loss, losses));
  return [...Map.groupBy(shown, ({ kind }) => kind)].map(([kind, some]) => {
    const all = losses.filter((loss) => loss.kind === kind);
    const noun = kind === "zoneEverywhere" ? "zone" : kind;
    const which =
      some.length > 1 && some.length === all.length
        ? `any ${noun}`
        : `${noun} ${listNames(some.map(({ name }) => name))}`;
    return kind === "zoneEverywhere" ? `${which} in all regions at once` : which;
  });
}

/** Whether a smaller loss with the same outcome is part of this one. `losses` has smaller losses first. */
function isImplied(loss: JudgedLoss, losses: readonly JudgedLoss[]): boolean {
  return losses
    .slice(0, losses.indexOf(loss))
    .filter(({ outcome }) => outcome === loss.outcome)
    .some((part) => part.nodes.every((name) => loss.nodes.includes(name)));
}

const NAMES_SHOWN = 4;

function listNames(names: readonly string[]): string {
  const shown = names.length > NAMES_SHOWN ? names.slice(0, NAMES_SHOWN - 1) : names.slice(0, -1);
  const last = names.length > NAMES_SHOWN ? `${names.length - shown.length} more` : names.at(-1);
  return shown.length === 0 ? `${last}` : `${shown.join(", ")} or ${last}`;
}
