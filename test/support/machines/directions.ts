/** What happens to packets between places: delays, losses, cuts. Knows nothing of the network that does it. */

/** A machine by its name. */
export type MachineName = `m${number}`;

/** A machine, or where this process is. */
export type Place = "operator" | MachineName;

/** `m1-m2`: both directions. `m1>m2`: packets from m1 to m2. */
export type Pair = `${Place}-${Place}` | `${Place}>${Place}`;

/** A number for each of some pairs. */
export type PerPair = Readonly<Partial<Record<Pair, number>>>;

/** What `wan.py` does to the packets from one place to another. */
export interface Direction {
  readonly from: number;
  readonly to: number;
  /** Milliseconds, one way. */
  readonly delay: number;
  /** Share of packets that are lost, 0 to 1. */
  readonly loss: number;
  readonly drop: boolean;
  /** TCP ports. */
  readonly dropPorts: readonly number[];
}

const OPERATOR = 0;
const SSH = 22;
const PAIR = /^(operator|m[1-9]\d*)([->])(operator|m[1-9]\d*)$/;

/** The place's number: 0 for the operator, 2 for `m2`. */
export function numberOf(place: Place): number {
  return place === "operator" ? OPERATOR : Number(place.slice(1));
}

/** Places of a pair. @throws Error if it is none. */
export function parsePair(pair: string): {
  readonly from: Place;
  readonly to: Place;
  readonly oneWay: boolean;
} {
  const [, from, way, to] = PAIR.exec(pair) ?? [];
  if (from === undefined || to === undefined || from === to) {
    throw new Error(`${pair} is no pair: write m1-m2, m1>m2 or operator-m1`);
  }
  return { from: from as Place, to: to as Place, oneWay: way === ">" };
}

/** All directions between places that have numbers. */
export class Directions {
  readonly #numbers = new Set<number>([OPERATOR]);
  readonly #delays = new Map<string, number>();
  readonly #losses = new Map<string, number>();
  readonly #cuts = new Set<string>();
  readonly #isolated = new Set<number>();
  readonly #withoutSsh = new Set<number>();
  readonly #off = new Set<number>();

  /** A machine that is connected, for the first time or again. */
  turnOn(number: number): void {
    this.#numbers.add(number);
    this.#off.delete(number);
  }

  /** A machine without power answers nothing, not even that a port is closed. */
  turnOff(number: number): void {
    this.#off.add(number);
  }

  setDelays(delays: PerPair): void {
    set(this.#delays, delays, (delay) => delay >= 0, "a delay, 0 ms or more");
  }

  setLosses(losses: PerPair): void {
    set(this.#losses, losses, (loss) => loss >= 0 && loss <= 1, "a share, 0 to 1");
  }

  cut(from: Place, to: Place): void {
    this.#cuts.add(key(numberOf(from), numberOf(to)));
  }

  isolate(place: Place): void {
    this.#isolated.add(numberOf(place));
  }

  silenceSsh(machine: MachineName): void {
    this.#withoutSsh.add(numberOf(machine));
  }

  /** Removes cuts. Delays and losses stay, and what has no power is still without. */
  heal(): void {
    for (const cuts of [this.#cuts, this.#isolated, this.#withoutSsh]) cuts.clear();
  }

  /** @param octetOf the third octet of a number's address. */
  table(octetOf: (number: number) => number): Direction[] {
    const numbers = [...this.#numbers];
    return numbers.flatMap((from) =>
      numbers
        .filter((to) => to !== from)
        .map((to) => ({
          from: octetOf(from),
          to: octetOf(to),
          delay: this.#delays.get(key(from, to)) ?? 0,
          loss: this.#losses.get(key(from, to)) ?? 0,
          drop:
            this.#cuts.has(key(from, to)) ||
            [from, to].some((number) => this.#isolated.has(number) || this.#off.has(number)),
          dropPorts: from === OPERATOR && this.#withoutSsh.has(to) ? [SSH] : [],
        })),
    );
  }
}

function key(from: number, to: number): string {
  return `${from}>${to}`;
}

function set(
  target: Map<string, number>,
  values: PerPair,
  isValid: (value: number) => boolean,
  unit: string,
): void {
  for (const [pair, value = 0] of Object.entries(values)) {
    const { from, to, oneWay } = parsePair(pair);
    if (!isValid(value)) throw new Error(`${pair}: ${value} isn't ${unit}`);
    target.set(key(numberOf(from), numberOf(to)), value);
    if (!oneWay) target.set(key(numberOf(to), numberOf(from)), value);
  }
}
