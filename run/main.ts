/**
 * The scripts that the Commands of a stack run, with `node -e 'import("nats-regions/run")' VERB`. The command is in the
 * state, so it doesn't depend on where the package is. Scripts get their arguments in the environment, see variables.ts.
 */
interface Script {
  /** The message of an error that it throws is printed. @param args those after the verb. */
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
