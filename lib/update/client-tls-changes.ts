/** Compares what nodes show to clients, and ask of them, with what is planned, before anything changes. */
import { countOf } from "../base/wording.ts";
import { STACK_SERVER_NAME } from "../tls/certificate-rules.ts";
import { certificatesIn } from "../tls/chains.ts";
import { hasName } from "./certificate-changes.ts";
import { describeDifference, type NodeChange, type Reason } from "./node-changes.ts";

/** A running node towards clients; PEM. */
export interface RunningClientTls {
  /** The certificate that it shows to the stack. */
  readonly own: string;
  /** The certificate that it shows to clients; undefined if it wasn't looked at. */
  readonly shown?: string | undefined;
  /** Whether it asks clients for a certificate. */
  readonly asks: boolean;
  /** The authorities whose certificates it asks for, of the stack's first node; absent if that asks for none. */
  readonly authorities?: string | undefined;
}

/** What is planned; PEM. */
export interface PlannedClientTls {
  /** The certificate for clients; undefined if it is the node's own. */
  readonly shown?: string | undefined;
  /** Whether clients are asked for a certificate. */
  readonly asks: boolean;
  /** Absent: clients are asked for none, on any listener. */
  readonly authorities?: string | undefined;
}

/** Why a node reloads what it shows to clients, or asks of them. */
export function clientTlsReasons(running: RunningClientTls, planned: PlannedClientTls): Reason[] {
  return [
    { setting: "clientTls", change: shownChange(running, planned) },
    { setting: "clientTls.cert", change: renewedChange(running, planned) },
    { setting: "clientCertificates", change: askedChange(running, planned) },
  ].filter(({ change }) => change !== "");
}

function shownChange({ own }: RunningClientTls, planned: PlannedClientTls): string {
  const isOther = hasName(own, STACK_SERVER_NAME);
  if (!isOther && planned.shown === undefined) return "";
  if (!isOther) return "none → a certificate for clients";
  return planned.shown === undefined ? "→ none, clients see the stack's own certificate" : "";
}

function renewedChange({ own, shown }: RunningClientTls, planned: PlannedClientTls): string {
  if (!hasName(own, STACK_SERVER_NAME) || planned.shown === undefined) return "";
  const isSame = shown !== undefined && leafOf(shown) === leafOf(planned.shown);
  return shown === undefined || isSame ? "" : "has another certificate";
}

function leafOf(pem: string): string | undefined {
  return certificatesIn(pem)[0]?.fingerprint256;
}

function askedChange(running: RunningClientTls, planned: PlannedClientTls): string {
  if (running.asks !== planned.asks) {
    return planned.asks ? "clients have to show one" : "clients have to show none any more";
  }
  if (running.authorities === undefined || planned.authorities === undefined) return "";
  const all = (pem: string) => certificatesIn(pem).map(({ fingerprint256 }) => fingerprint256);
  const change = describeDifference(all(running.authorities), all(planned.authorities));
  return change === "" ? "" : "has other authorities";
}

/** A warning of the clients that may be cut off: those of nodes that ask them for no certificate yet. */
export function cutOffWarnings(changes: readonly NodeChange[]): string[] {
  const open = changes.filter(({ clients }) => clients !== undefined);
  if (open.length === 0) return [];
  const count = open.reduce((sum, { clients = 0 }) => sum + clients, 0);
  const names = open.map(({ node }) => node).join(", ");
  const have = count === 1 ? "has" : "have";
  return [
    `clientCertificates: from this up on ${names} refuse clients that show no certificate of its authorities. ${countOf(count, "client")} ${have} a connection to them now, and may be refused at the next one: give all of them certificates first.`,
  ];
}
