import { ownValue } from "../../lib/base/records.ts";
import { completeConfig, digestConfig } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { describeContents } from "../../lib/streams/stream-loss.ts";
import { streamKey } from "../../lib/streams/stream-name.ts";
import {
  freeSubjects,
  type HandoverStep,
  haveOverlap,
  isParked,
  overlappingSubjects,
  planHandover,
} from "../../lib/streams/subject-handover.ts";
import {
  allStreamsIn,
  identify,
  type LeavingEntry,
  type Roster,
  streamOf,
} from "../../lib/update/remembered-streams.ts";
import type { JetStreamPort, StreamInfo } from "../../live/jetstream/jetstream.ts";
import { find, findAtOnce, type Pace, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import type { Goal } from "./converge.ts";
import type { Reporting } from "./progress.ts";

/** The desired subjects of the streams in the settings, by key. */
export type SubjectsOfStreams = Readonly<Record<string, readonly string[]>>;

/** The mirrors in the settings: the origin's name in the same account, by the mirror's key. */
export type MirrorsOfStreams = Readonly<Record<string, string>>;

/** The old and the new key of a stream whose key changes. */
export interface Renaming {
  readonly from: string;
  readonly to: string;
}

/** What happens to one account's streams, by name. */
interface DesiredSubjects {
  readonly targets: ReadonlyMap<string, readonly string[]>;
  /** Streams that leave the settings, and whether their messages may be lost. */
  readonly leaving: ReadonlyMap<string, boolean>;
}

/** Streams that an `up` may have made before it was killed, without the state having them. */
export interface LostStreams {
  /** By key. */
  readonly lost: Readonly<Record<string, LeavingEntry>>;
  /** Milliseconds since 1970. Older streams of these names were there before. */
  readonly since: number;
}

/** Milliseconds to wait for Pulumi to check the other streams of an `up` that take part in a handover. */
const CHECKS_MS = 10_000;
const CHECKS_PAUSE_MS = 10;

/**
 * Hands subjects from stream to stream, so that an `up` which splits, merges, swaps or renames streams works in one
 * run.
 *
 * Pulumi changes streams in parallel and deletes last, and nats-server handles each request by itself. So the first of
 * the streams concerned does the work for all: it creates the new ones, without the subjects that others still have,
 * and once all exist the subjects change hands, one request after the other. If a step fails, the earlier ones are
 * undone, so no stream loses a subject to one that can't be created.
 *
 * One instance serves all streams of a process. It knows what the checks of the streams and of the roster have
 * announced.
 */
export class Handovers {
  readonly #desired = new Map<string, DesiredSubjects>();
  readonly #checked = new Map<string, Goal>();
  /** Mirrors in the settings, by the key of their origin. */
  readonly #mirrors = new Map<string, string[]>();
  /** Digests of the configs that the last `up` set out to apply. */
  readonly #begun = new Map<string, string>();
  readonly #lost = new Set<string>();
  #lostSince = 0;
  /** Streams whose keys in the settings have changed. */
  readonly #renamed = new Map<string, Renaming>();
  /** Streams whose subjects were changed on behalf of other streams. */
  readonly #touched = new Set<string>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #checksLimit: number;

  /** @param checksLimit milliseconds to wait for the checks of other streams. */
  constructor(checksLimit = CHECKS_MS) {
    this.#checksLimit = checksLimit;
  }

  /**
   * Announces the desired subjects of all streams.
   *
   * @param olds the roster of the last `up`.
   */
  announce(
    olds: Partial<Roster>,
    news: Roster,
    subjects: SubjectsOfStreams,
    mirrors: MirrorsOfStreams = {},
    { lost, since }: LostStreams = { lost: {}, since: 0 },
  ): void {
    this.#lost.clear();
    this.#lostSince = since;
    for (const [key, entry] of Object.entries(lost)) {
      this.#lost.add(streamKey(identify(key, entry, olds.account ?? news.account)));
    }
    this.#mirrors.clear();
    for (const [mirror, origin] of Object.entries(mirrors)) {
      const { account, name } = streamOf(news, mirror);
      const key = streamKey({ account, name: origin });
      this.#mirrors.set(key, [...(this.#mirrors.get(key) ?? []), name]);
    }
    const before = Object.entries(allStreamsIn(olds)).map(([key, entry]) => ({
      key,
      ...identify(key, entry, olds.account ?? news.account),
      mayLose: entry.allowDataLoss === true,
    }));
    const after = Object.entries(subjects).map(([key, wanted]) => ({
      ...streamOf(news, key),
      wanted,
    }));
    for (const stream of before) {
      const digest = ownValue(olds.begun ?? {}, stream.key);
      if (digest !== undefined) this.#begun.set(streamKey(stream), digest);
    }
    this.#renamed.clear();
    for (const [to, from] of Object.entries(news.renamed ?? {})) {
      this.#renamed.set(streamKey(streamOf(news, to)), { from, to });
    }
    for (const account of new Set([...before, ...after].map((stream) => stream.account))) {
      const here = after.filter((stream) => stream.account === account);
      const targets = new Map(here.map(({ name, wanted }) => [name, wanted]));
      const gone = before.filter((each) => each.account === account && !targets.has(each.name));
      this.#desired.set(account, {
        targets,
        leaving: new Map(gone.map(({ name, mayLose }) => [name, mayLose])),
      });
    }
  }

  /** Announces the desired state of one stream whose check passed. */
  addChecked(goal: Goal): void {
    this.#checked.set(keyOf(goal), goal);
  }

  /** Whether a stream was changed already, on behalf of others. */
  hasTouched(goal: Pick<Goal, "account" | "stream">): boolean {
    return this.#touched.has(keyOf(goal));
  }

  /**
   * Whether the last `up` set out to change a stream and didn't finish.
   *
   * @param config the config in the state.
   */
  isUnfinished(goal: Pick<Goal, "account" | "stream">, config: StreamConfig): boolean {
    const begun = this.#begun.get(keyOf(goal));
    return begun !== undefined && begun !== digestConfig(config);
  }

  /** Whether an `up` may have made a stream before it was killed, without the state having it. */
  mayBeLost(stream: Pick<Goal, "account" | "stream">): boolean {
    return this.#lost.has(keyOf(stream));
  }

  /** The same for a stream that was found. */
  isLost(stream: Pick<Goal, "account" | "stream">, { created }: StreamInfo): boolean {
    return this.mayBeLost(stream) && !isOlder(created, this.#lostSince);
  }

  /** Whether a stream is in the settings; undefined if nothing was announced for the account. */
  isPlanned(account: string, stream: string): boolean | undefined {
    return this.#desired.get(account)?.targets.has(stream);
  }

  /** The old and new keys of a stream; undefined if its key hasn't changed. */
  renamingOf(stream: Pick<Goal, "account" | "stream">): Renaming | undefined {
    return this.#renamed.get(keyOf(stream));
  }

  /** Names of the streams in the settings that mirror a stream. */
  mirrorsOf(origin: Pick<Goal, "account" | "stream">): readonly string[] {
    return this.#mirrors.get(keyOf(origin)) ?? [];
  }

  /**
   * Checks which streams have the subjects that a stream is to take: which of them are handed over, and which can't be.
   */
  async judge(
    port: JetStreamPort,
    { account, stream, config: { subjects = [] } }: Pick<Goal, "account" | "stream" | "config">,
  ): Promise<{ readonly refusals: readonly string[]; readonly notices: readonly string[] }> {
    const desired = this.#desired.get(account);
    const rivals = await rivalsOf(port, stream, subjects);
    const refusals: string[] = [];
    const notices: string[] = [];
    for (const [rival, { config }] of rivals) {
      const theirs = overlappingSubjects(config.subjects ?? [], subjects);
      const moving = quote(overlappingSubjects(subjects, config.subjects ?? []));
      if (desired?.targets.has(rival)) {
        notices.push(
          `stream ${stream} takes ${moving} over from ${rival}, which gives ${quote(theirs)} up: between the two requests nobody takes it, for some milliseconds`,
        );
      } else if (desired?.leaving.has(rival)) {
        notices.push(
          `stream ${stream} takes ${moving} over from ${rival}, which is deleted: between the two requests nobody takes it, for some milliseconds`,
        );
      } else {
        refusals.push(describeRival(stream, moving, rival, theirs));
      }
    }
    return { refusals, notices };
  }

  /**
   * Gives a stream, and all streams that it exchanges subjects with, their desired subjects. Creates those that don't
   * exist. Does nothing if no other stream is concerned.
   *
   * @throws Error if that fails, or if a stream outside the settings has one of the subjects; nothing has changed then.
   */
  async run(port: JetStreamPort, goal: Goal, pace: Pace & Reporting): Promise<void> {
    const before = this.#queues.get(goal.account) ?? Promise.resolve();
    const work = before.then(() => this.#run(port, goal, pace));
    this.#queues.set(
      goal.account,
      work.catch(() => undefined),
    );
    await work;
  }

  async #run(port: JetStreamPort, goal: Goal, pace: Pace & Reporting): Promise<void> {
    const desired = this.#desired.get(goal.account) ?? desiredOf(goal);
    const found = await retry(() => groupOf(port, goal, desired), pace);
    if (found.size < 2) return;
    const goals = await this.#awaitChecks(goal, found, desired);
    const group = { port, pace, account: goal.account, desired, found };
    const made = await this.#makeMissing(group, goals);
    const done: HandoverStep[] = [];
    try {
      for (const step of planGroup(group)) {
        await change(group, step);
        done.push(step);
      }
    } catch (error) {
      for (const { stream } of done.reverse()) {
        await change(group, { stream, subjects: found.get(stream)?.config.subjects ?? [] }).catch(
          () => undefined,
        );
      }
      await unmake(group, made);
      throw error;
    }
    for (const name of [...made, ...done.map(({ stream }) => stream)]) {
      this.#touched.add(keyOf({ account: goal.account, stream: name }));
    }
    await deleteLeavers(group);
    pace.say(`subjects have changed hands: ${describeSteps(group)}`);
  }

  /** The desired states of the streams, once all have been announced. */
  async #awaitChecks(
    { account, stream }: Goal,
    found: Found,
    { targets }: DesiredSubjects,
  ): Promise<Map<string, Goal>> {
    const staying = [...found.keys()].filter((name) => targets.has(name));
    await until<void, readonly string[]>(
      async () => {
        const absent = staying.filter(
          (name) => !this.#checked.has(keyOf({ account, stream: name })),
        );
        return absent.length === 0 ? { done: undefined } : { shown: absent };
      },
      {
        pause: CHECKS_PAUSE_MS,
        limit: this.#checksLimit,
        giveUp: (absent) => {
          throw new Error(
            `stream ${stream} shares a change of subjects with ${absent.join(", ")}, which this up doesn't change: let it change all of them`,
          );
        },
      },
    );
    return new Map(
      staying.flatMap((name) => {
        const goal = this.#checked.get(keyOf({ account, stream: name }));
        return goal ? [[name, goal] as const] : [];
      }),
    );
  }

  /** Creates the missing streams with the subjects that no other stream has yet. */
  async #makeMissing(group: Group, goals: ReadonlyMap<string, Goal>): Promise<string[]> {
    const { port, pace, found } = group;
    const made: string[] = [];
    for (const [name, { config }] of goals) {
      if (found.get(name)) continue;
      const taken = [...found.values()].flatMap((info) => info?.config.subjects ?? []);
      const subjects = freeSubjects(name, config.subjects ?? [], taken);
      try {
        await retry(() => port.create(completeConfig({ ...config, subjects })), pace);
        made.push(name);
        found.set(name, await retry(() => port.info(name), pace));
      } catch (error) {
        await unmake(group, made);
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(
          `stream ${name} can't be made, so all subjects stay where they are: ${reason}`,
          {
            cause: error,
          },
        );
      }
    }
    return made;
  }
}

/** Without announcements only the stream itself is known. */
function desiredOf({ stream, config: { subjects = [] } }: Goal): DesiredSubjects {
  return { targets: new Map([[stream, subjects]]), leaving: new Map() };
}

/** The instance of this process. */
export const HANDOVERS = new Handovers();

/** Observed streams by name; undefined for those that don't exist. */
type Found = Map<string, StreamInfo | undefined>;

interface Group {
  readonly port: JetStreamPort;
  readonly pace: Pace;
  readonly account: string;
  readonly desired: DesiredSubjects;
  readonly found: Found;
}

/**
 * All streams that have to change together with one: those that take its subjects, those that it takes subjects from,
 * and so on.
 */
async function groupOf(
  port: JetStreamPort,
  { stream }: Goal,
  desired: DesiredSubjects,
): Promise<Found> {
  const found: Found = new Map();
  const queue = [stream];
  for (const name of queue) {
    if (found.has(name)) continue;
    const info = await findAtOnce(port, name);
    const target = desired.targets.get(name);
    if (!target && !desired.leaving.has(name)) {
      const theirs = info?.config.subjects ?? [];
      const wanted = desired.targets.get(stream) ?? [];
      throw new Error(
        describeRival(stream, quote(overlappingSubjects(wanted, theirs)), name, theirs),
      );
    }
    found.set(name, info);
    const held = info?.config.subjects ?? [];
    const takers = [...desired.targets].filter(([, wanted]) => haveOverlap(wanted, held));
    const givers = await rivalsOf(port, name, target ?? []);
    queue.push(...takers.map(([taker]) => taker), ...givers.keys());
  }
  return found;
}

/** Other streams whose subjects overlap. The server's subject filter also matches streams without subjects. */
async function rivalsOf(
  port: JetStreamPort,
  stream: string,
  subjects: readonly string[],
): Promise<Map<string, StreamInfo>> {
  const named = await Promise.all(subjects.map((subject) => port.names(subject)));
  const names = [...new Set(named.flat())].filter((name) => name !== stream);
  const infos = await Promise.all(
    names.map(async (name) => ({ name, info: await findAtOnce(port, name) })),
  );
  return new Map(
    infos.flatMap(({ name, info }) =>
      info && haveOverlap(info.config.subjects ?? [], subjects) ? [[name, info] as const] : [],
    ),
  );
}

function planGroup({ found, desired }: Group): readonly HandoverStep[] {
  for (const [name, info] of found) {
    if (!info || desired.leaving.get(name) !== false || info.state.messages === 0) continue;
    throw new Error(
      `stream ${name} is taken out of the settings and holds ${describeContents(info.state)}, so its subjects stay with it: put it back, or empty it first (nats stream purge ${name})`,
    );
  }
  const current = new Map([...found].map(([name, info]) => [name, info?.config.subjects ?? []]));
  const targets = new Map([...found.keys()].map((name) => [name, desired.targets.get(name) ?? []]));
  return planHandover(current, targets);
}

async function change({ port, pace, found }: Group, { stream, subjects }: HandoverStep) {
  const info = found.get(stream);
  if (info) await retry(() => port.update({ ...info.config, subjects }), pace);
}

/** Deletes the streams that were created for a failed handover. They are empty: nobody has published to them yet. */
async function unmake({ port, pace }: Group, made: readonly string[]): Promise<void> {
  for (const name of made) {
    const info = await find(port, name, pace).catch(() => undefined);
    if (info?.state.messages === 0) await port.delete(name).catch(() => undefined);
  }
}

/**
 * Deletes leaving streams that are empty. One that received a message before it gave up its subjects stays: its own
 * deletion then refuses.
 */
async function deleteLeavers({ port, pace, desired, found }: Group): Promise<void> {
  for (const name of found.keys()) {
    if (!desired.leaving.has(name)) continue;
    const info = await find(port, name, pace);
    if (info && isParked(info.config.subjects) && info.state.messages === 0) {
      await retry(() => port.delete(name), pace);
    }
  }
}

function describeSteps({ found, desired }: Group): string {
  return [...found.keys()]
    .flatMap((name) => {
      const subjects = desired.targets.get(name);
      return subjects ? [`${name} takes ${quote(subjects)}`] : [`${name} none any more`];
    })
    .join(", ");
}

function describeRival(
  stream: string,
  wanted: string,
  rival: string,
  theirs: readonly string[],
): string {
  return `subjects: ${wanted} can't be ${stream}'s as long as stream ${rival}, which isn't of these settings, takes ${quote(theirs)}: narrow it (nats stream edit ${rival} --subjects …), delete it (nats stream rm ${rival}), or add it to the settings with adopt: true and other subjects`;
}

function quote(subjects: readonly string[]): string {
  return subjects.map((subject) => `"${subject}"`).join(", ");
}

/**
 * Whether a stream is older than a moment.
 *
 * @param created RFC 3339; undefined: unknown.
 * @param since milliseconds since 1970.
 */
export function isOlder(created: string | undefined, since: number): boolean {
  return created !== undefined && Date.parse(created) < since;
}

function keyOf({ account, stream }: Pick<Goal, "account" | "stream">): string {
  return streamKey({ account, name: stream });
}
