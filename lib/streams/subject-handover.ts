/**
 * Moves subjects from one stream to another of the same account. nats-server refuses a config whose subjects overlap
 * with those that another stream has at the time (error 10065), so the order of the updates matters.
 */
import { subjectsOverlap } from "./subjects.ts";

/** The subjects of streams, by the names of the streams. */
export type SubjectsByStream = ReadonlyMap<string, readonly string[]>;

/** One update: the stream gets exactly these subjects. */
export interface HandoverStep {
  readonly stream: string;
  readonly subjects: readonly string[];
}

/** Whether a message could match subjects of both lists. */
export function haveOverlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((subject) => others.some((other) => subjectsOverlap(subject, other)));
}

/** The subjects of the first list that overlap with any of the second. */
export function overlappingSubjects(
  subjects: readonly string[],
  others: readonly string[],
): string[] {
  return subjects.filter((subject) => haveOverlap([subject], others));
}

const PARK = "nats-regions-parked.";

/** A placeholder that nobody publishes to, for a stream whose subjects still belong to another stream. */
export function parkSubject(stream: string): string {
  return `${PARK}${stream}`;
}

/** Whether a stream has a placeholder subject, because an `up` was interrupted before it got its own. */
export function isParked(subjects: readonly string[] | undefined): boolean {
  return subjects?.some((subject) => subject.startsWith(PARK)) ?? false;
}

/** The wanted subjects that overlap with none of `taken`, and the placeholder of {@link parkSubject}. */
export function freeSubjects(
  stream: string,
  wanted: readonly string[],
  taken: readonly string[],
): readonly string[] {
  return [...wanted.filter((subject) => !haveOverlap([subject], taken)), parkSubject(stream)];
}

/**
 * Plans the updates that give streams their target subjects, in an order in which the server refuses none. Each subject
 * is without a stream for as few updates as possible. If streams wait for each other in a cycle, one of them gets a
 * placeholder until its subjects are free.
 *
 * @param targets subjects of the same streams, without overlaps; an empty list: the stream is to have the placeholder.
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
    [...waiting].filter((name) => !haveOverlap(goals.get(name) ?? [], others(name)));
  const givers = new Set(readyOnes());
  while (waiting.size > 0) {
    const ready = readyOnes();
    // Streams that had to wait go first: they take subjects that have just become free.
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
