/** What servers tell clients of: the addresses by which clients reach the nodes, to connect again after a failure. */
import { z } from "zod";
import {
  canonicalName,
  hostAndPort,
  isAddress,
  isEverywhere,
  isHost,
  isIpv6,
} from "../base/addresses.ts";
import type { Problem } from "../base/errors.ts";
import { ownValue } from "../base/records.ts";
import { quoteValue } from "../base/wording.ts";
import { type NodeName, scopesOf, unknownScopes } from "./scopes.ts";
import type { Shape } from "./shape.ts";

/** One pattern for all nodes, or patterns by name of a region, a zone (`rg1-az2`) or a node (`rg1-az2-2`). */
export type Advertise = string | Readonly<Record<string, string>>;

/** Where clients reach a node, unless the settings say it: on its machine's address, or on `bindAddress`. */
const AUTO = "auto";
/** Neither do others tell of the node, nor does it tell of others. */
const NONE = "none";

/** What the settings say of a node. */
export interface Advertised {
  readonly host: string;
  readonly port: number;
  /** The settings' words, the same for nodes that differ in nothing but their place; for a preview. */
  readonly words: string;
}

interface Pattern {
  /** With placeholders. An IPv6 address has no brackets. */
  readonly host: string;
  /** Of the first node; absent: each node's own. */
  readonly port?: number;
  /** Whether further nodes have the ports that follow. */
  readonly isFirst: boolean;
}

const PLACEHOLDER = /\{[^}]*\}/g;
const KNOWN: ReadonlySet<string> = new Set(["{region}", "{zone}", "{node}"]);
const LAST_PORT = 65_535;

/** @returns the pattern, or what is wrong with it, to follow its text. */
function parsePattern(text: string): Pattern | string {
  const [, inBrackets, name, portText] = isIpv6Alone(text)
    ? ["", text]
    : (text.match(/^(?:\[(.*)\]|([^:[\]]*(?:\{[^}]*\}[^:[\]]*)*))(?::(.*))?$/) ?? []);
  const host = inBrackets ?? name;
  if (host === undefined) return NO_PATTERN;
  const unknown = host.match(PLACEHOLDER)?.find((each) => !KNOWN.has(each));
  if (unknown !== undefined) {
    return `has ${unknown} in its host, where {region}, {zone} and {node} may be`;
  }
  if (isIpv6(host) !== (inBrackets !== undefined) && !isIpv6Alone(text)) return NO_PATTERN;
  if (!isHost(host.replace(PLACEHOLDER, "x"))) return NO_PATTERN;
  if (isEverywhere(host)) return "is all addresses of a machine, and none to connect to";
  const common = { host: canonicalName(host), isFirst: false };
  if (portText === undefined || portText === "{port}") return common;
  const [, digits = "", plus] = portText.match(/^(\d{1,5})(\+)?$/) ?? [];
  const port = Number(digits);
  if (port < 1 || port > LAST_PORT) {
    return `has a port that is none of {port}, 1 to ${LAST_PORT}, or the first of several, e.g. 7000+`;
  }
  return { ...common, port, isFirst: plus !== undefined };
}

const NO_PATTERN =
  "is no host with or without a port, e.g. {node}.example.com or nats.example.com:7000+, nor auto, nor none";

function isIpv6Alone(text: string): boolean {
  return isIpv6(text) && isAddress(text);
}

/** The schema of a pattern. */
export const patternSchema = z.string().superRefine((text, context) => {
  const fault = [AUTO, NONE].includes(text) ? "" : parsePattern(text);
  if (typeof fault === "string" && fault !== "") {
    context.addIssue({ code: "custom", message: `${quoteValue(text)} ${fault}` });
  }
});

/** A node, and the port on which clients reach it. */
export interface AdvertisedNode extends NodeName {
  readonly clientPort: number;
}

/**
 * What the settings say of a node: those of its name before those of its zone and its region.
 *
 * @param nodes all of them: where ports follow each other, each has the distance that its own port has from that of the
 *   first node which the setting is for.
 * @returns undefined if they say nothing, or `auto`.
 */
export function advertisedOf(
  node: AdvertisedNode,
  nodes: readonly AdvertisedNode[],
  setting: Advertise,
): Advertised | "none" | undefined {
  const { text, fellows } = patternFor(node, nodes, setting);
  if (text === AUTO) return undefined;
  if (text === NONE) return NONE;
  const pattern = parsePattern(text);
  if (typeof pattern === "string") throw new Error(`advertise: ${text} ${pattern}`);
  const { region, zone, name, clientPort } = node;
  const host = pattern.host
    .replaceAll("{region}", region)
    .replaceAll("{zone}", zone)
    .replaceAll("{node}", name);
  if (!pattern.isFirst) return { host, port: pattern.port ?? clientPort, words: text };
  const first = Math.min(...fellows.map((each) => each.clientPort));
  const port = (pattern.port ?? 0) + clientPort - first;
  return { host, port, words: hostAndPort(host, port) };
}

function patternFor(
  node: AdvertisedNode,
  nodes: readonly AdvertisedNode[],
  setting: Advertise,
): { readonly text: string; readonly fellows: readonly AdvertisedNode[] } {
  if (typeof setting === "string") return { text: setting, fellows: nodes };
  const scope = scopesOf(node).findLast((each) => Object.hasOwn(setting, each));
  if (scope === undefined) return { text: AUTO, fellows: [] };
  const fellows = nodes.filter((each) => scopesOf(each).includes(scope));
  return { text: ownValue(setting, scope) ?? AUTO, fellows };
}

/** Reports names without a place. */
export function advertiseProblems(setting: Advertise, shape: Shape): Problem[] {
  const names = typeof setting === "string" ? [] : Object.keys(setting);
  const entries = names.map((name) => ({ name, path: `advertise.${name}` }));
  return unknownScopes(entries, shape, "region, zone or node");
}

/** Characters (RFC 1035). */
const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;

/**
 * Reports addresses that there can't be, and those that two nodes would have.
 *
 * @param advertised by node name, see {@link advertisedOf}.
 */
export function addressProblems(
  advertised: ReadonlyMap<string, Advertised | "none" | undefined>,
): Problem[] {
  const taken = new Map<string, string>();
  const path = "advertise";
  return [...advertised].flatMap(([name, said]): Problem[] => {
    if (said === undefined || said === NONE) return [];
    const { host, port } = said;
    if (host.length > LONGEST_NAME || host.split(".").some((l) => l.length > LONGEST_LABEL)) {
      const message = `${host} of ${name} is longer than a host name may be`;
      return [{ path, message, fix: "use shorter names" }];
    }
    if (port > LAST_PORT) {
      return [{ path, message: `${name} would get port ${port}`, fix: "use a lower first port" }];
    }
    const address = hostAndPort(host, port);
    const other = taken.get(address);
    taken.set(address, name);
    if (other === undefined) return [];
    const fix = `tell them apart by {node} or {port}, or by ${port}+ for one port after the other; where one address is for all of them, clients have it, so say none`;
    return [{ path, message: `${other} and ${name} would both be ${address}`, fix }];
  });
}
