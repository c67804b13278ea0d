import { type MachineName, parsePair } from "../../test/support/machines/directions.ts";
import type { Machine } from "../../test/support/machines/machine.ts";
import type { Machines } from "../../test/support/machines/machines.ts";

/** What can be typed while machines run. */
interface Verb {
  /** The words after the verb. */
  readonly words: readonly string[];
  readonly description: string;
  readonly run: (machines: Machines, words: readonly string[]) => Promise<void>;
}

/** A verb for a machine, whose name is the only word. */
function ofMachine(
  description: string,
  run: (machine: Machine, machines: Machines) => Promise<void>,
): Verb {
  return {
    words: ["m1"],
    description,
    run: (machines, [name]) => run(machines.machine(name as MachineName), machines),
  };
}

const VERBS: Readonly<Record<string, Verb>> = {
  delay: {
    words: ["m1-m2", "15"],
    description: "ms that packets take, one way; m1>m2: only from m1 to m2, operator: this machine",
    run: (machines, [pair = "", delay]) => machines.setDelays({ [pair]: Number(delay) }),
  },
  loss: {
    words: ["m1-m2", "0.01"],
    description: "the share of packets that are lost",
    run: (machines, [pair = "", loss]) => machines.setLosses({ [pair]: Number(loss) }),
  },
  cut: {
    words: ["m1-m2"],
    description: "no packets between them; m1>m2: none from m1 to m2",
    run: (machines, [pair = ""]) => {
      const { from, to, oneWay } = parsePair(pair);
      return machines.partition(from, to, { oneWay });
    },
  },
  isolate: ofMachine("no packets from it or to it", ({ name }, machines) => machines.isolate(name)),
  silence: ofMachine("no packets from here to its sshd", ({ name }, machines) =>
    machines.silenceSsh(name),
  ),
  heal: {
    words: [],
    description: "ends these cuts; delays and losses stay",
    run: (machines) => machines.heal(),
  },
  kill: ofMachine("cuts its power", (machine) => machine.kill()),
  boot: ofMachine("turns it on again", (machine) => machine.boot()),
  stop: ofMachine("stops its engine", (machine) => machine.stopEngine()),
  start: ofMachine("starts its engine again", (machine) => machine.startEngine()),
  pause: ofMachine("freezes its engine, which then answers nothing", (machine) =>
    machine.pauseEngine(),
  ),
  resume: ofMachine("lets its engine go on", (machine) => machine.resumeEngine()),
  add: {
    words: [],
    description: "one machine more",
    run: async (machines) => console.log(describeMachine(await machines.addMachine())),
  },
};

export function describeMachine({ name, host }: Machine): string {
  return `  ${name}  ${host}`;
}

/** All verbs with their words, an example for each. */
export function describeVerbs(): string {
  return Object.entries(VERBS)
    .map(([name, { words, description }]) => {
      return `  ${[name, ...words].join(" ").padEnd(18)}${description}`;
    })
    .join("\n");
}

/** Does what a line says. @throws Error if it isn't understood, or fails. */
export async function runLine(machines: Machines, line: string): Promise<void> {
  const [name, ...words] = line.split(/\s+/).filter(Boolean);
  if (name === undefined) return;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!verb) throw new Error(`There is no ${name}. There are:\n${describeVerbs()}`);
  if (words.length !== verb.words.length) {
    throw new Error(`Write it like this: ${[name, ...verb.words].join(" ")}`);
  }
  await verb.run(machines, words);
}
