import type { ObservedCluster } from "../../lib/observed/observed.ts";
import { Engine } from "../../live/engine/engine.ts";
import type { OwnNode } from "../../live/engine/own-nodes.ts";
import type { ClusterPort } from "../../run/cluster-port.ts";
import { NODES, reportOf } from "./observed.ts";

/** The state of a cluster of {@link NODES} at one moment. */
export interface Moment {
  readonly observed: ObservedCluster;
  /** Why the engine doesn't answer. */
  readonly silence?: string;
  /** Settings in the containers' labels, by node. Default: `old`. */
  readonly made?: Readonly<Record<string, string>>;
  /** Nodes without a container. */
  readonly missing?: readonly string[];
}

const ENGINE = new Engine({ variables: {} });

/** A cluster with a sequence of states: one for each look at the engine, and the last one for all further looks. */
export class FakeCluster implements ClusterPort {
  /** Names of the nodes that were asked for streams, one list for each request. */
  readonly observations: string[][] = [];
  /** The answers about nodes that don't stay up, and about nodes that were killed for memory. */
  crash: string | undefined;
  kills: string | undefined;
  readonly #left: Moment[];
  #now: Moment;

  constructor(...[first, ...others]: readonly [Moment, ...Moment[]]) {
    this.#now = first;
    this.#left = [first, ...others];
  }

  async list() {
    this.#now = this.#left.shift() ?? this.#now;
    const { silence, made = {}, missing = [], observed } = this.#now;
    if (silence !== undefined) return { own: [], silence };
    const there = NODES.filter((name) => !missing.includes(name));
    const own = there.map(
      (name): OwnNode => ({
        name,
        engine: ENGINE,
        address: `127.0.0.1/${name}`,
        container: `dev-${name}`,
        state: observed.silent.includes(name) ? "down" : "running",
        restartSettings: made[name] ?? "old",
      }),
    );
    return { own };
  }

  async report(nodes: readonly { readonly name: string }[]) {
    return nodes.map(({ name }) => reportOf(name, this.#now.observed));
  }

  async observe(nodes: readonly { readonly name: string }[]) {
    this.observations.push(nodes.map(({ name }) => name));
    return this.#now.observed;
  }

  async explainCrashes() {
    return this.crash;
  }

  async explainKills() {
    return this.kills;
  }
}

/** The result of a wait, and the lines that it printed. Needs fake timers. */
export async function endOf(
  wait: (say: (line: string) => void) => Promise<boolean>,
  runAllTimers: () => Promise<unknown>,
): Promise<{ readonly opens: boolean; readonly said: readonly string[] }> {
  const said: string[] = [];
  const waiting = wait((line) => said.push(line));
  await runAllTimers();
  return { opens: await waiting, said };
}
