/**
 * Drains leaving nodes before anything else changes: they take no new replicas, and learn the new accounts, because one
 * of them may lead the meta group, and that creates no stream in an account that it doesn't know (nats-server 2.15).
 * Run by a Command.
 *
 * A node that is down is started, because nothing can move off it otherwise: an `up` that was killed may have stopped
 * it before it was removed from the meta group.
 *
 * stdin: the new accounts.conf; empty if no node was leaving when this was planned.
 */
import { text } from "node:stream/consumers";
import { accountsBeside } from "../lib/nodes/nats-conf.ts";
import { drainedConf } from "../lib/update/leaving-nodes.ts";
import type { Engine } from "../live/engine/engine.ts";
import { readConfig, writeConfig } from "../live/engine/node-config.ts";
import { listReachable, type OwnNode } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { askNodes } from "../live/monitoring/monitoring.ts";
import { findLeaving } from "./leaving-nodes.ts";
import { scriptVariables, type Trust, trustOf } from "./variables.ts";
import { waitFor } from "./wait-for.ts";

const POLL_MS = 200;

const variables = scriptVariables.pick({
  OWNER: true,
  NODES: true,
  PATIENCE: true,
  CA: true,
  SETTINGS_IN: true,
});

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER: owner, NODES, PATIENCE: patience, CA, SETTINGS_IN } = variables.parse(env);
  const engines = enginesFromEnvironment(env);
  const stack = { engines, owner, trust: trustOf(CA), patience, say: once(console.error) };
  const accountsConf = await text(process.stdin);
  const staying = new Set(NODES);
  for (const node of await findLeaving(await listOwn(stack), staying, SETTINGS_IN)) {
    await drain(await start(node, stack), accountsConf, stack);
  }
}

interface Stack {
  readonly engines: readonly Engine[];
  readonly owner: string;
  readonly trust: Trust;
  /** Milliseconds. */
  readonly patience: number;
  readonly say: (line: string) => void;
}

/** An engine that doesn't answer is told of at the first look, and not at each. */
function once(say: Stack["say"]): Stack["say"] {
  const said = new Set<string>();
  return (line) => {
    if (!said.has(line)) say(line);
    said.add(line);
  };
}

function listOwn({ engines, owner, trust, say }: Stack): Promise<readonly OwnNode[]> {
  return listReachable(engines, owner, trust, say);
}

async function start(node: OwnNode, stack: Stack): Promise<OwnNode> {
  if (node.state === "down") {
    console.error(
      `${node.name} leaves, but doesn't run: starting it, so that what it holds can move`,
    );
    await node.engine.run("start", node.container);
  }
  let found = node;
  await waitFor(
    async () => {
      const own = await listOwn(stack);
      found = own.find(({ name }) => name === node.name) ?? node;
      const [report] = await askNodes([found]);
      return report?.health === "" ? undefined : { reason: report?.health ?? "it doesn't answer" };
    },
    {
      patience: stack.patience,
      pause: POLL_MS,
      say: (line) => console.error(`waiting for ${node.name}, which leaves: ${line}`),
      describeStall: (sight) =>
        `${node.name} can't leave: ${sight}; docker logs ${node.container} says why. Put it back into the settings to bring it back first`,
    },
  );
  return found;
}

/**
 * Its config is no longer planned, so the file itself is edited: the tag is appended, where it overrides the others.
 */
async function drain(node: OwnNode, nextAccounts: string, { owner }: Stack): Promise<void> {
  const { conf, accountsConf, others } = await readConfig(node);
  const next = drainedConf(conf);
  const accounts = accountsBeside(conf, accountsConf, nextAccounts || accountsConf);
  if (next === conf && accounts === accountsConf) return;
  await writeConfig(owner, node, { conf: next, accountsConf: accounts, others });
  console.error(`${node.name} takes no new replicas`);
}
