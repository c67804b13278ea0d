/** What can happen to one of several machines, and how it ends. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./directions.ts";
import type { Machine } from "./machine.ts";
import type { Machines } from "./machines.ts";

export interface MachineFault {
  readonly name: string;
  inject(machines: Machines, victim: Machine): Promise<void>;
  /** Ends it. Resolves when the machine's engine answers its own machine. */
  heal(machines: Machines, victim: Machine): Promise<void>;
  /** Milliseconds that it lasts. Default: as long as the test likes. */
  readonly lasts?: number;
  /** Whether the machine's nodes reach no others, or are no more. */
  readonly takesNodes: boolean;
  /** Whether the engine can't be reached from here. */
  readonly takesEngine: boolean;
  /** Whether the `up` itself is killed, with all of its children. */
  readonly killsOperator?: true;
}

/** Milliseconds that an engine is away while its package is replaced. */
const UPGRADE = 3_000;

const healCuts = (machines: Machines) => machines.heal();

export const MACHINE_FAULTS: readonly MachineFault[] = [
  {
    name: "killed",
    inject: (_, victim) => victim.kill(),
    heal: (_, victim) => victim.boot(),
    takesNodes: true,
    takesEngine: true,
  },
  {
    name: "engine stopped",
    inject: (_, victim) => victim.stopEngine(),
    heal: (_, victim) => victim.startEngine(),
    takesNodes: true,
    takesEngine: true,
  },
  {
    name: "ssh silent",
    inject: (machines, { name }) => machines.silenceSsh(name),
    heal: healCuts,
    takesNodes: false,
    takesEngine: true,
  },
  {
    name: "cut off from all",
    inject: (machines, { name }) => machines.isolate(name),
    heal: healCuts,
    takesNodes: true,
    takesEngine: true,
  },
  {
    name: "cut off from one",
    inject: (machines, { name }) => machines.partition(name, neighbourOf(machines, name)),
    heal: healCuts,
    takesNodes: false,
    takesEngine: false,
  },
  {
    name: "not heard by one",
    inject: (machines, { name }) =>
      machines.partition(name, neighbourOf(machines, name), { oneWay: true }),
    heal: healCuts,
    takesNodes: false,
    takesEngine: false,
  },
  {
    name: "not heard by any",
    inject: async (machines, { name }) => {
      for (const place of othersOf(machines, name)) {
        await machines.partition(name, place, { oneWay: true });
      }
    },
    heal: healCuts,
    takesNodes: true,
    takesEngine: true,
  },
  {
    name: "engine hangs",
    inject: (_, victim) => victim.pauseEngine(),
    heal: (_, victim) => victim.resumeEngine(),
    takesNodes: false,
    takesEngine: true,
  },
  {
    name: "engine restarted",
    inject: async (_, victim) => {
      await victim.stopEngine();
      await sleep(UPGRADE);
      await victim.startEngine();
    },
    heal: async () => {},
    lasts: 0,
    takesNodes: true,
    takesEngine: true,
  },
  {
    name: "rebooted",
    inject: async (_, victim) => {
      await victim.kill();
      await victim.boot();
    },
    heal: async () => {},
    lasts: 0,
    takesNodes: true,
    takesEngine: true,
  },
];

/** What the operator's machine left running goes on running: connections of ssh that others share. */
export const OPERATOR_KILLED: MachineFault = {
  name: "sees its operator killed",
  inject: async () => {},
  heal: async () => {},
  lasts: 0,
  takesNodes: false,
  takesEngine: false,
  killsOperator: true,
};

function othersOf(machines: Machines, name: Place): Place[] {
  const names: Place[] = ["operator", ...machines.all.map((machine) => machine.name)];
  return names.filter((place) => place !== name);
}

function neighbourOf(machines: Machines, name: Place): Place {
  const others = othersOf(machines, name).filter((place) => place !== "operator");
  const [next] = others;
  if (next === undefined) throw new Error(`${name} is the only machine`);
  return next;
}

export function faultNamed(name: string): MachineFault {
  const fault = MACHINE_FAULTS.find((each) => each.name === name);
  if (!fault) throw new Error(`there is no fault ${name}`);
  return fault;
}
