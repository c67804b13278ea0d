/** Faults of a stack's nodes, and how they are undone. */
import { execa } from "execa";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";

export interface Fault {
  inject(nodes: readonly NodePlan[], plan: ClusterPlan): Promise<unknown>;
  restore(nodes: readonly NodePlan[], plan: ClusterPlan): Promise<unknown>;
}

/** The servers are killed. The engine doesn't restart what the user killed. */
export const KILLED: Fault = {
  inject: (nodes) => docker("kill", "--signal=KILL", ...containersOf(nodes)),
  restore: (nodes) => docker("start", ...containersOf(nodes)),
};

/** The servers are frozen, and later continue. Their connections stay open. */
export const PAUSED: Fault = {
  inject: (nodes) => docker("pause", ...containersOf(nodes)),
  restore: (nodes) => docker("unpause", ...containersOf(nodes)),
};

/** The servers run, but have no network, not even to clients. */
export const UNPLUGGED: Fault = {
  inject: (nodes, { prefix: network }) =>
    each(nodes, ({ containerName }) => docker("network", "disconnect", network, containerName)),
  restore: (nodes, { prefix: network }) =>
    each(nodes, ({ containerName, name }) =>
      docker("network", "connect", `--alias=${name}`, network, containerName),
    ),
};

/** The servers and the other nodes don't receive each other's packets; clients reach all of them. */
export const PARTITIONED = partitioned("INPUT", "OUTPUT");
/** The servers don't receive the other nodes' packets, but send to them; clients reach all of them. */
export const DEAF = partitioned("INPUT");

/** Uses packet filters in the nodes' own network namespaces, which end with them. */
function partitioned(...chains: readonly ("INPUT" | "OUTPUT")[]): Fault {
  return {
    inject: async (nodes, plan) => {
      const outside = nodesOf(plan).filter((node) => !nodes.includes(node));
      const others = await Promise.all(outside.map(addressOf));
      const peers = { INPUT: "--source", OUTPUT: "--destination" };
      const rules = chains.map((chain) => {
        const match = [peers[chain], others.join(",")];
        return ["--append", chain, ...match, "--jump", "DROP"];
      });
      await each(nodes, (node) => filter(node, rules));
    },
    // The engine's own rules in there are in another table.
    restore: (nodes) => each(nodes, (node) => filter(node, [["--flush"]])),
  };
}

/** Why {@link PARTITIONED} isn't possible here; undefined if it is. */
export function whyNotPartitioned(): Promise<string | undefined> {
  return whyNotAsRoot("nsenter", "iptables");
}

/**
 * Why something isn't possible here that needs root, these commands, and an engine on this machine; undefined if it is.
 */
export async function whyNotAsRoot(...commands: readonly string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can";
  if (process.env.DOCKER_HOST?.match(/^(ssh|tcp):/)) return "the engine is on another machine";
  for (const command of commands) {
    const { exitCode } = await execa("which", [command], { reject: false });
    if (exitCode !== 0) return `there is no ${command}`;
  }
  return undefined;
}

/** Runs `docker`. @returns its stdout. */
export async function docker(...args: string[]): Promise<string> {
  return (await execa("docker", args)).stdout;
}

export function containersOf(nodes: readonly NodePlan[]): string[] {
  return nodes.map(({ containerName }) => containerName);
}

async function filter(node: NodePlan, rules: readonly (readonly string[])[]): Promise<void> {
  const pid = await docker("inspect", "--format={{.State.Pid}}", node.containerName);
  for (const rule of rules) {
    await execa("nsenter", [`--target=${pid}`, "--net", "iptables", "--wait", ...rule]);
  }
}

function addressOf({ containerName }: NodePlan): Promise<string> {
  const format = "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return docker("inspect", format, containerName);
}

async function each(
  nodes: readonly NodePlan[],
  work: (node: NodePlan) => Promise<unknown>,
): Promise<void> {
  await Promise.all(nodes.map(work));
}
