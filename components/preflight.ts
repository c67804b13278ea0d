import { createServer } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, type NodePlan, nodesOf } from "../lib/plan.ts";
import { docker } from "./docker-cli.ts";
import { type Ownership, STACK_LABEL } from "./ownership.ts";

interface FoundContainer {
  readonly name: string;
  readonly owner: string;
  readonly running: boolean;
}

/**
 * Looks at the Docker engine before anything is planned on it, so that what can't work is refused while
 * nothing has changed: no engine, another checkout's stack of the same name, ports that somebody holds.
 * Warns of nodes that don't run, as a stack's state doesn't know before a refresh.
 *
 * @throws pulumi.RunError naming the way out.
 */
export async function inspectEngine(plan: ClusterPlan, ownership: Ownership): Promise<void> {
  const containers = await listContainers(plan, ownership);
  refuseForeign(containers, plan, ownership);
  warnOfStopped(containers, plan);
  await refuseTakenPorts(containers, plan);
}

async function listContainers(plan: ClusterPlan, { label }: Ownership): Promise<FoundContainer[]> {
  const { project, stack } = plan.identity;
  const listed = await docker(
    "ps",
    "--all",
    `--filter=label=${STACK_LABEL}=${project}/${stack}`,
    `--format={{.Names}}\t{{.Label "${label.label}"}}\t{{.State}}`,
  );
  if (!listed.ok) {
    throw new pulumi.RunError(
      `No Docker engine to work with: ${listed.error}\nStart it, or set DOCKER_HOST or a docker context to one that runs; \`npm start\` sets one up.`,
    );
  }
  return listed.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", owner = "", state] = line.split("\t");
      return { name, owner, running: state === "running" };
    });
}

function refuseForeign(
  containers: readonly FoundContainer[],
  { identity }: ClusterPlan,
  { label }: Ownership,
): void {
  const foreign = containers.filter(({ owner }) => owner !== label.value);
  if (foreign.length === 0) return;
  throw new pulumi.RunError(
    `Another checkout has a stack ${identity.stack} on this Docker engine (${foreign.map(({ name }) => name).join(", ")}).\nUse a stack of another name here, e.g. npm start -- --stack ${identity.stack}2, or destroy that one where it was made.`,
  );
}

function warnOfStopped(containers: readonly FoundContainer[], plan: ClusterPlan): void {
  const stopped = new Set(containers.filter(({ running }) => !running).map(({ name }) => name));
  const names = nodesOf(plan)
    .filter(({ containerName }) => stopped.has(containerName))
    .map(({ name }) => name);
  if (names.length === 0) return;
  void pulumi.log.warn(
    `${names.length} of ${nodesOf(plan).length} nodes don't run: ${names.join(", ")}. \`npx pulumi up --refresh\` starts them.`,
  );
}

async function refuseTakenPorts(
  containers: readonly FoundContainer[],
  plan: ClusterPlan,
): Promise<void> {
  if (!isLocalEngine()) return;
  const running = new Set(containers.filter((found) => found.running).map(({ name }) => name));
  const awaited = nodesOf(plan).filter(({ containerName }) => !running.has(containerName));
  const taken = await Promise.all(awaited.map((node) => findTakenPort(node, plan.bindAddress)));
  const problems = taken.filter((problem) => problem !== undefined);
  if (problems.length === 0) return;
  throw new pulumi.RunError(
    `Ports are in use, nothing was changed:\n${problems.map((line) => `  ${line}`).join("\n")}\nStop what holds them, or choose others: npx pulumi config set clientPort 5222`,
  );
}

async function findTakenPort(node: NodePlan, address: string): Promise<string | undefined> {
  const ports = { clientPort: node.clientPort, monitorPort: node.monitorPort };
  for (const [setting, port] of Object.entries(ports)) {
    if (!(await canListen(port, address))) {
      return `${setting}: ${address}:${port}, wanted for ${node.name}, is in use`;
    }
  }
  return undefined;
}

function canListen(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen({ port, host: address, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

function isLocalEngine(): boolean {
  return !/^(ssh|tcp):/.test(process.env.DOCKER_HOST ?? "");
}
