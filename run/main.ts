/**
 * What the commands of a stack start, as `node -e 'import("nats-regions/run")' VERB`: a text that stays the same
 * wherever the package lies, as it is a part of the state. Each script has its arguments in its environment, see
 * given.ts.
 */
interface Script {
  /** What it throws becomes its last words. @param args behind the verb. */
  main(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> | void;
}

const SCRIPTS: Readonly<Record<string, () => Promise<Script>>> = {
  "check-removal": () => import("./check-removal.ts"),
  configure: () => import("./configure.ts"),
  drain: () => import("./drain-nodes.ts"),
  gate: () => import("./await-cluster.ts"),
  "hear-interest": () => import("./hear-interest.ts"),
  "note-identity": () => import("./note-identity.ts"),
  restart: () => import("./restart-node.ts"),
  retire: () => import("./retire-nodes.ts"),
  "shut-down": () => import("./shut-down.ts"),
  "start-gate": () => import("./check-start.ts"),
  "tell-accounts": () => import("./tell-accounts.ts"),
};

const [, verb = "", ...args] = process.argv;
const load = SCRIPTS[verb];
if (load) {
  try {
    await (await load()).main(process.env, args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
} else {
  console.error(`There is no "${verb}"; there are ${Object.keys(SCRIPTS).join(", ")}.`);
  process.exitCode = 2;
}
