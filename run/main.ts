/**
 * The scripts that the Commands of a stack run, with `node -e 'import("nats-regions/run")' VERB`. The command is in the
 * state, so it doesn't depend on where the package is. Scripts get their arguments in the environment, see variables.ts.
 */
interface Script {
  /** The message of an error that it throws is printed. @param args those after the verb. */
  main(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> | void;
}

const SCRIPTS: Readonly<Record<string, () => Promise<Script>>> = {
  "check-removal": () => connecting(import("./check-removal.ts")),
  configure: () => import("./configure.ts"),
  drain: () => connecting(import("./drain-nodes.ts")),
  gate: () => connecting(import("./await-cluster.ts")),
  "hear-interest": () => connecting(import("./hear-interest.ts")),
  "let-go": () => connecting(import("./let-go.ts")),
  "note-identity": () => import("./note-identity.ts"),
  restart: () => connecting(import("./restart-node.ts")),
  retire: () => connecting(import("./retire-nodes.ts")),
  "shut-down": () => import("./shut-down.ts"),
  "on-engine": () => import("./on-engine.ts"),
  "stop-all": () => import("./stop-all.ts"),
  "start-gate": () => connecting(import("./check-start.ts")),
  "tell-accounts": () => import("./tell-accounts.ts"),
};

/** A script that connects to servers: it ends its connections, which would keep the process alive. */
async function connecting(loading: Promise<Script>): Promise<Script> {
  const { main } = await loading;
  return {
    async main(env, args) {
      try {
        await main(env, args);
      } finally {
        const { closeConnections } = await import("../live/jetstream/clients.ts");
        await closeConnections();
      }
    },
  };
}

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
