/** The cases of faults of machines, each known by its number: a run is repeated by its seed, or any one of its cases. */
import { seededRandom } from "../random.ts";
import type { MachineName } from "./directions.ts";
import { MACHINE_FAULTS, type MachineFault } from "./faults.ts";

/** What an `up` changes. */
export type UpKind = "memory" | "move" | "account" | "store";

/** Milliseconds in which such an `up` of nine nodes does its work on an idle machine, with some more for a busy one. */
const LASTS: Readonly<Record<UpKind, number>> = {
  memory: 60_000,
  move: 20_000,
  account: 15_000,
  store: 15_000,
};
const KINDS = Object.keys(LASTS) as readonly UpKind[];

/** Milliseconds that a fault lasts, if it isn't one that ends by itself. */
const SHORTEST = 15_000;
const LONGEST = 60_000;

export interface FaultCase {
  readonly number: number;
  readonly fault: MachineFault;
  readonly victim: MachineName;
  readonly kind: UpKind;
  /** Milliseconds from the start of the `up`; undefined: before it. */
  readonly after: number | undefined;
  /** Milliseconds; longer where the `up` begins during the fault, and takes longer. */
  readonly lasts: number;
}

/** Every fault comes in turn, in mid-`up` twice as often as at rest. @param machines how many there are. */
export function faultCase(
  seed: number,
  number: number,
  machines: number,
  faults: readonly MachineFault[] = MACHINE_FAULTS,
): FaultCase {
  const random = seededRandom(seed * 1_000 + number);
  // Numbers that are close to each other begin alike.
  for (let skipped = 0; skipped < 5; skipped++) random();
  const fault = faults[(number - 1) % faults.length] as MachineFault;
  const round = Math.floor((number - 1) / faults.length);
  const kind = KINDS[Math.floor(random() * KINDS.length)] as UpKind;
  const victim: MachineName = `m${1 + Math.floor(random() * machines)}`;
  const after = Math.round(random() * LASTS[kind]);
  const lasts = fault.lasts ?? Math.round(SHORTEST + random() * (LONGEST - SHORTEST));
  const isAtRest = round % 3 === 2 && !fault.killsOperator;
  return { number, fault, victim, kind, lasts, after: isAtRest ? undefined : after };
}

/** A line for people. */
export function describeCase({ number, fault, victim, kind, after }: FaultCase): string {
  const moment = after === undefined ? "before the up" : `${(after / 1_000).toFixed(1)} s into it`;
  return `${number}: ${victim} ${fault.name}, ${moment}, ${kind}`;
}
