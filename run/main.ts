/**
 * What the commands of a stack start, as `node -e 'import("nats-regions/run")' VERB`: a text that stays the same
 * wherever the package lies, as it is a part of the state. Each script has its arguments in its environment.
 */
const SCRIPTS: Readonly<Record<string, () => Promise<unknown>>> = {
  configure: () => import("./configure.ts"),
  drain: () => import("./drain-nodes.ts"),
  gate: () => import("./await-cluster.ts"),
  "hear-interest": () => import("./hear-interest.ts"),
  "note-identity": () => import("./note-identity.ts"),
  restart: () => import("./restart-node.ts"),
  retire: () => import("./retire-nodes.ts"),
  "start-gate": () => import("./check-start.ts"),
  "tell-accounts": () => import("./tell-accounts.ts"),
};

const [, verb = ""] = process.argv;
const load = SCRIPTS[verb];
if (load) {
  await load();
} else {
  console.error(`There is no "${verb}"; there are ${Object.keys(SCRIPTS).join(", ")}.`);
  process.exitCode = 2;
}
