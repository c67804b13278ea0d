import type { Problem } from "../base/errors.ts";
import { ownValue } from "../base/records.ts";
import { listSome } from "../base/wording.ts";
import { type NodeName, scopesOf, unknownScopes } from "./scopes.ts";
import type { Shape } from "./shape.ts";

/** Tags of one's own, by name of a region, a zone (`rg1-az2`) or a node (`rg1-az2-2`). */
export type ServerTags = Readonly<Record<string, readonly string[]>>;

/**
 * The tags of one's own that a node has: those of its region, its zone and its own name. A tag replaces those of wider
 * places with the same prefix: `rack:2` of a node replaces `rack:1` of its zone.
 */
export function ownTags(node: NodeName, serverTags: ServerTags): readonly string[] {
  const tags = scopesOf(node).reduce<readonly string[]>((wider, scope) => {
    const given = ownValue(serverTags, scope) ?? [];
    const prefixes = new Set(given.flatMap(prefixOf));
    return [...wider.filter((tag) => !prefixOf(tag).some((each) => prefixes.has(each))), ...given];
  }, []);
  return [...new Set(tags)];
}

/** The prefix of a tag with its colon, in lower case, as nats-server compares tags; none without a colon. */
function prefixOf(tag: string): readonly string[] {
  return /^[^:]*:/.exec(tag.toLowerCase()) ?? [];
}

/** Prefixes of tags that follow from a node's place. */
const DERIVED = ["rg:", "az:", "xr:"];

/** Reports names without a place, and tags that mean something else to nats-server or to a plan. */
export function serverTagProblems(serverTags: ServerTags, shape: Shape): Problem[] {
  const tags = Object.entries(serverTags).flatMap(([name, tags]) =>
    tags.flatMap((tag, index) => {
      const fault = faultOf(tag);
      return fault === undefined ? [] : [{ path: `serverTags.${name}[${index}]`, ...fault }];
    }),
  );
  const names = Object.keys(serverTags).map((name) => ({ name, path: `serverTags.${name}` }));
  return [...unknownScopes(names, shape, "region, zone or node"), ...tags];
}

function faultOf(tag: string): Pick<Problem, "message" | "fix"> | undefined {
  if (tag.startsWith("!")) {
    return {
      message: `"${tag}" begins with "!", by which placements exclude a tag`,
      fix: "leave it out",
    };
  }
  const derived = DERIVED.find((prefix) => prefixOf(tag).includes(prefix));
  if (derived === undefined) return undefined;
  const message = `"${tag}" has the prefix ${derived}, of tags that follow from the nodes' places`;
  return { message, fix: "use another prefix" };
}

/**
 * Reports nodes without a tag of the unique prefix, which nats-server would give no replicas (2.15, `selectPeerGroup`),
 * and nodes with several, of which it counts the first. Witnesses take none anyway.
 *
 * @param prefix e.g. `rack:`; `""`: none.
 */
export function uniqueTagProblems(
  prefix: string,
  nodes: readonly {
    readonly name: string;
    readonly serverTags: readonly string[];
    readonly witness?: true;
  }[],
): Problem[] {
  if (prefix === "") return [];
  const tagged = nodes
    .filter(({ witness }) => !witness)
    .map(({ name, serverTags }) => ({
      name,
      tags: serverTags.filter((tag) => prefixOf(tag).includes(prefix)),
    }));
  const without = tagged.filter(({ tags }) => tags.length === 0).map(({ name }) => name);
  const missing = {
    path: "uniqueTag",
    message: `${listSome(without)} ${without.length === 1 ? "has" : "have"} no "${prefix}" tag, and would take no streams`,
    fix: `give each node one in serverTags, e.g. ${without[0]}: ["${prefix}1"], or make it a witness`,
  };
  return [
    ...(without.length > 0 ? [missing] : []),
    ...tagged
      .filter(({ tags }) => tags.length > 1)
      .map(({ name, tags }) => ({
        path: "serverTags",
        message: `${name} has ${tags.join(" and ")}, of which only the first would count for uniqueTag`,
        fix: "leave one of them",
      })),
  ];
}
