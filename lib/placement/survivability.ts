/**
 * What a group of replicas gets over: which nodes may be gone for good, or for now, and a majority of its
 * replicas, which every write needs (nats-server 2.15, raft.go), is still there. Where the server may
 * choose the hosts, the answer is for all of its choices, counted rather than tried.
 */

import type { NodePlace } from "../topology/topology.ts";
import { type Fleet, hostsWithoutSpare } from "./placement.ts";
import type { Seating } from "./room.ts";

/** `zone`: of one region. `zoneEverywhere`: the same zone in all regions, which `unique_tag: "az:"` speaks of. */
export type LossKind = "node" | "zone" | "zoneEverywhere" | "region";

/** Nodes that are down together. */
export interface Loss {
  readonly kind: LossKind;
  /** As in the settings, e.g. `rg2-az1`, `rg2-az1`, `az1`, `rg2` for the four kinds. */
  readonly name: string;
  readonly nodes: readonly string[];
}

/** `depends`: on which hosts the server chooses. */
export type Outcome = "survives" | "lost" | "depends";

export interface LossOutcome extends Pick<Loss, "kind" | "name"> {
  readonly outcome: Outcome;
}

export interface Survivability {
  /** One line for people, e.g. `survives any node or zone; lost with region rg2`. */
  readonly summary: string;
  /** Every single loss: nodes first, then zones, zones everywhere, regions. */
  readonly losses: readonly LossOutcome[];
  /**
   * The hosts whose replica can't be made anew elsewhere while they are down: no other server fits, or those
   * that are left are no majority, and nobody leads the change.
   */
  readonly irreplaceable: readonly string[];
}

/** Lists what may fail at once: each node, zone of a region, zone in all regions, region. */
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

/** The meta group: every server votes. */
export function metaSeating({ servers }: Pick<Fleet, "servers">): Seating {
  return settledSeating(servers.map(({ name }) => name));
}

/** Replicas that have their hosts: no choice is left. */
export function settledSeating(hosts: readonly string[]): Seating {
  return { replicas: hosts.length, seats: hosts.map((name) => [name]) };
}

/** Replicas that must be there for anything to be written. */
export function majorityOf(replicas: number): number {
  return Math.floor(replicas / 2) + 1;
}

/** Judges every loss. @param seating has as many seats as replicas, or more: the replicas do have a place. */
export function judgeLosses(seating: Seating, losses: readonly Loss[]): Survivability {
  const judged = losses.map((loss) => ({ ...loss, outcome: outcomeOf(seating, loss.nodes) }));
  return {
    summary: summarize(judged),
    losses: judged.map(({ kind, name, outcome }) => ({ kind, name, outcome })),
    irreplaceable: tolerance(seating) === 0 ? seating.seats.flat() : hostsWithoutSpare(seating),
  };
}

/** Whether a group keeps its majority while those nodes are down, wherever its replicas are. */
export function survives(seating: Seating, nodes: readonly string[]): boolean {
  return outcomeOf(seating, nodes) === "survives";
}

/**
 * Judges one loss. At worst, replicas take every seat that it touches, at best every seat that it leaves
 * something of: which seats are taken, and by which of their servers, is free.
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

/** Replicas that may be gone. */
function tolerance({ replicas }: Seating): number {
  return replicas - majorityOf(replicas);
}

interface JudgedLoss extends Loss {
  readonly outcome: Outcome;
}

/** A zone everywhere is worth a word only where that is more than its zones one by one: where it is lost. */
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

/** The losses of that outcome by kind, e.g. `["any node"]`, `["region rg1 or rg2"]`. */
function describeLosses(outcome: Outcome, losses: readonly JudgedLoss[]): string[] {
  const told = losses.filter((loss) => loss.outcome === outcome && !isImplied(loss, losses));
  return [...Map.groupBy(told, ({ kind }) => kind)].map(([kind, some]) => {
    const all = losses.filter((loss) => loss.kind === kind);
    const noun = kind === "zoneEverywhere" ? "zone" : kind;
    const which =
      some.length > 1 && some.length === all.length
        ? `any ${noun}`
        : `${noun} ${listNames(some.map(({ name }) => name))}`;
    return kind === "zoneEverywhere" ? `${which} in all regions at once` : which;
  });
}

/** What is lost with a few nodes is lost with more. Larger losses come after those that they are made of. */
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
