const CLUSTER = "nats-regions::nats-regions:index:NatsCluster";
const NODE = `${CLUSTER}$nats-regions:index:Region$nats-regions:index:AvailabilityZone$nats-regions:index:NatsNode`;

/**
 * URNs of nodes that globs may be meant for, where nobody has said which nodes there are: of such names as the globs
 * have in them, whole or in part (`**rg1-az1-cont**` has that of `rg1-az1`), and of one that they haven't.
 *
 * @param {readonly string[]} globs as `--target` and its like take them.
 * @returns `steps` are those that a node isn't restarted without.
 */
export function nodesNamedIn(globs) {
  const stack = globs.map((glob) => /^urn:pulumi:([^:*]+)::/.exec(glob)?.[1]).find(Boolean) ?? "-";
  const words = globs.flatMap((glob) => glob.split(/\*+|:/)).filter((word) => word !== "");
  const parts = words.flatMap((word) =>
    Array.from(word, (_, at) => [word.slice(at), word.slice(0, at + 1)]).flat(),
  );
  return [...new Set(["-", ...parts])].map((name) => {
    /**
     * @param {string} type
     * @param {string} suffix
     */
    const of = (type, suffix) => `urn:pulumi:${stack}::${type}::${name}-${suffix}`;
    return {
      container: of(`${NODE}$docker:index/container:Container`, "container"),
      volumes: ["data", "config"].map((kind) => of(`${NODE}$docker:index/volume:Volume`, kind)),
      steps: [
        of(`${NODE}$command:local:Command`, "configured"),
        of(`${CLUSTER}$command:local:Command`, "start"),
      ],
    };
  });
}

/**
 * Whether any glob is a URN's; the CLI takes `*` for anything without a colon, `**` for anything.
 *
 * @param {string} urn
 * @param {readonly string[]} globs
 */
export function isMatched(urn, globs) {
  return globs.some((glob) => toPattern(glob).test(urn));
}

/** @param {string} glob */
function toPattern(glob) {
  const parts = glob.split(/(\*+)/).map((part) => {
    if (!part.startsWith("*")) return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    return part === "*" ? "[^:]*" : ".*";
  });
  return new RegExp(`^${parts.join("")}$`);
}
