/**
 * Subjects that change hands between streams of one account. nats-server gives a message to one stream only: it
 * refuses a config whose subjects overlap with those that another stream has at the time (error 10065).
 */
import { subjectsOverlap } from "./subjects.ts";

/** Which subjects streams take, by name. */
export type SubjectsByStream = ReadonlyMap<string, readonly string[]>;

/** One request: a stream that from then on takes these subjects. */
export interface HandoverStep {
  readonly stream: string;
  readonly subjects: readonly string[];
}

/** Whether a message could belong to both. */
export function collide(some: readonly string[], others: readonly string[]): boolean {
  return some.some((subject) => others.some((other) => subjectsOverlap(subject, other)));
}

/** Those of a stream's subjects that overlap with others. */
export function contested(subjects: readonly string[], others: readonly string[]): string[] {
  return subjects.filter((subject) => collide([subject], others));
}

const PARK = "nats-regions-parked.";

/** What a stream takes while what it is to take is another's still: a subject that nobody publishes to. */
export function parkSubject(stream: string): string {
  return `${PARK}${stream}`;
}

/** Whether a stream waits for its subjects: an interrupted `up` has left it so. */
export function isParked(subjects: readonly string[] | undefined): boolean {
  return subjects?.some((subject) => subject.startsWith(PARK)) ?? false;
}

/** As many of a stream's subjects as are free, and one more that says that it waits for the others. */
export function freeSubjects(
  stream: string,
  wanted: readonly string[],
  taken: readonly string[],
): readonly string[] {
  return [...wanted.filter((subject) => !collide([subject], taken)), parkSubject(stream)];
}

/**
 * The requests, in order, that lead from the subjects which streams have to those which they are to have, so that the
 * server refuses none of them. A subject is without a stream for as few requests as can be. In a circle, somebody
 * parks meanwhile.
 *
 * @param targets of the same streams, without overlaps; none for one that is to be parked.
 */
export function planHandover(
  current: SubjectsByStream,
  targets: SubjectsByStream,
): readonly HandoverStep[] {
  const held = new Map(current);
  const steps: HandoverStep[] = [];
  const step = (stream: string, subjects: readonly string[]) => {
    held.set(stream, subjects);
    steps.push({ stream, subjects });
  };
  const others = (stream: string) =>
    [...held].flatMap(([name, has]) => (name === stream ? [] : has));
  const goals = new Map(
    [...targets].map(([stream, target]) => [
      stream,
      target.length > 0 ? target : [parkSubject(stream)],
    ]),
  );
  const waiting = new Set(
    [...goals.keys()].filter((name) => !isSame(held.get(name), goals.get(name))),
  );
  const parked = new Set<string>();
  const readyOnes = () =>
    [...waiting].filter((name) => !collide(goals.get(name) ?? [], others(name)));
  const givers = new Set(readyOnes());
  while (waiting.size > 0) {
    const ready = readyOnes();
    // Who had to wait takes what has just become free, before anybody else lets go.
    const next = ready.find((name) => !givers.has(name)) ?? ready[0];
    if (next !== undefined) {
      step(next, goals.get(next) ?? []);
      waiting.delete(next);
      continue;
    }
    const yielding = [...waiting].find((name) => !parked.has(name));
    if (yielding === undefined) throw new Error("streams are to have subjects that overlap");
    parked.add(yielding);
    step(yielding, freeSubjects(yielding, goals.get(yielding) ?? [], others(yielding)));
  }
  return steps;
}

function isSame(some: readonly string[] = [], others: readonly string[] = []): boolean {
  return [...some].sort().join(" ") === [...others].sort().join(" ");
}
