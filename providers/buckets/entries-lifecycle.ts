import { isDeepStrictEqual } from "node:util";
import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import { formatBytes } from "../../lib/base/quantities.ts";
import { listSome } from "../../lib/base/wording.ts";
import type { EntriesPort } from "../../live/jetstream/entries.ts";
import { isSilence, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import { type Pace, retry } from "../../live/jetstream/patience.ts";
import { configure, configuredPatience, openConfiguredEntries } from "../process/configured.ts";
import { hasUnknown, toFailures } from "../process/unknown.ts";
import type { Reporting } from "../streams/progress.ts";

/** The inputs, as the program gives them and as the state keeps them. */
export interface EntriesInputs {
  readonly account: string;
  /** The bucket's name for clients. */
  readonly bucket: string;
  /** Values by key. Secrets: no message may have one. */
  readonly entries: Readonly<Record<string, string>>;
  /** Bytes that a value may have; -1: no limit. */
  readonly maxValueSize: number;
}

/** The methods of a Pulumi dynamic provider, typed; see `ResourceProvider` in @pulumi/pulumi/dynamic. */
export interface EntriesLifecycle {
  check(olds: Partial<EntriesInputs>, news: EntriesInputs): Promise<CheckResult>;
  diff(id: string, olds: EntriesInputs, news: EntriesInputs): Promise<DiffResult>;
  create(inputs: EntriesInputs): Promise<{ readonly id: string; readonly outs: EntriesInputs }>;
  read(id: string, props: EntriesInputs): Promise<ReadResult>;
  update(id: string, olds: EntriesInputs, news: EntriesInputs): Promise<UpdateResult>;
  delete(id: string, props: EntriesInputs): Promise<void>;
}

/** Used by the dynamic provider's process; components/parts/bucket-entries.ts refers to this name. */
export const bucketEntriesProvider = { configure, ...entriesLifecycle(openConfiguredEntries) };

/**
 * The lifecycle of a bucket's entries, over any implementation of their port. It writes what is missing or differs, and
 * deletes nothing.
 */
export function entriesLifecycle(
  open: (account: string) => EntriesPort,
  { patience, silence = 15_000, pause = 100, say = console.error }: Partial<Pace & Reporting> = {},
): EntriesLifecycle {
  const pace = {
    // The process is configured only after this function has run.
    get patience() {
      return patience ?? configuredPatience();
    },
    silence,
    pause,
  };
  return {
    async check(olds, news) {
      if (hasUnknown(news)) return { inputs: news };
      const refusals = tooLarge(news);
      if (refusals.length > 0) return { inputs: news, failures: toFailures(refusals) };
      tellLeft(olds, news, say);
      const changed = keysOf(news).filter((key) => olds.entries?.[key] !== news.entries[key]);
      const there = await othersThere(open(news.account), news, changed);
      if (there.length > 0) {
        say(
          `${nameOf(news)} has other values of ${listSome(there)}, which get those of the settings`,
        );
      }
      return { inputs: news };
    },

    async diff(_id, olds, news) {
      if (hasUnknown(news)) return { changes: true };
      const replaces = (["account", "bucket"] as const).filter((key) => olds[key] !== news[key]);
      const changes =
        replaces.length > 0 ||
        !isDeepStrictEqual(olds.entries, news.entries) ||
        olds.maxValueSize !== news.maxValueSize;
      return { changes, replaces };
    },

    async create(inputs) {
      await write(open(inputs.account), inputs, pace);
      return { id: inputs.bucket, outs: inputs };
    },

    async read(_id, props) {
      try {
        const values = await readAll(open(props.account), props, keysOf(props), pace);
        const astray = keysOf(props).filter((key) => values.get(key) !== props.entries[key]);
        if (astray.length > 0) {
          const lost = astray.filter((key) => values.get(key) === undefined);
          const other = astray.filter((key) => values.get(key) !== undefined);
          if (lost.length > 0) say(`${nameOf(props)} has no value any more of ${listSome(lost)}`);
          if (other.length > 0) say(`${nameOf(props)} has another value of ${listSome(other)}`);
        }
        // Values of others stay out of the state, where nobody has said whether they are secrets.
        const entries = Object.fromEntries(
          Object.entries(props.entries).filter(([key]) => !astray.includes(key)),
        );
        const kept = { ...props, entries };
        return { id: props.bucket, inputs: kept, props: kept };
      } catch (error) {
        if (error instanceof StreamNotFound) return { id: "" };
        if (!isSilence(error)) throw error;
        // A refresh has to succeed without JetStream, or `up --refresh` could never start the nodes again.
        say(`what ${nameOf(props)} holds is taken to be as it was: ${error.message}`);
        return { id: props.bucket, inputs: props, props };
      }
    },

    async update(_id, _olds, news) {
      await write(open(news.account), news, pace);
      return { outs: news };
    },

    async delete(_id, props) {
      say(`${nameOf(props)} keeps ${listSome(keysOf(props))}, which left the settings`);
    },
  };
}

function nameOf({ bucket }: Pick<EntriesInputs, "bucket">): string {
  return `bucket ${bucket}`;
}

function keysOf({ entries }: Pick<EntriesInputs, "entries">): readonly string[] {
  return Object.keys(entries);
}

function tooLarge({ bucket, entries, maxValueSize }: EntriesInputs): string[] {
  if (maxValueSize < 1) return [];
  return Object.entries(entries)
    .map(([key, value]) => ({ key, size: Buffer.byteLength(value) }))
    .filter(({ size }) => size > maxValueSize)
    .map(
      ({ key, size }) =>
        `entries.${key}: ${formatBytes(size)} is more than maxValueSize of ${nameOf({ bucket })}: ${formatBytes(maxValueSize)}; raise it, or shorten the value`,
    );
}

/** Says which entries of the state are no longer in the settings. */
function tellLeft(olds: Partial<EntriesInputs>, news: EntriesInputs, say: Reporting["say"]): void {
  const left = Object.keys(olds.entries ?? {}).filter((key) => !Object.hasOwn(news.entries, key));
  if (left.length > 0) say(`${nameOf(news)} keeps ${listSome(left)}, which left the settings`);
}

/** The keys that have a value now, and not that of the settings. None if that can't be told: an `up` may make the bucket. */
async function othersThere(
  port: EntriesPort,
  inputs: EntriesInputs,
  keys: readonly string[],
): Promise<readonly string[]> {
  try {
    const values = await Promise.all(
      keys.map(async (key) => [key, await port.get(inputs.bucket, key)] as const),
    );
    return values
      .filter(([key, value]) => value !== undefined && value !== inputs.entries[key])
      .map(([key]) => key);
  } catch (error) {
    if (error instanceof StreamNotFound || isSilence(error)) return [];
    throw error;
  }
}

async function readAll(
  port: EntriesPort,
  { bucket }: EntriesInputs,
  keys: readonly string[],
  pace: Pace,
): Promise<ReadonlyMap<string, string | undefined>> {
  const values = keys.map(
    async (key) => [key, await retry(() => port.get(bucket, key), pace)] as const,
  );
  return new Map(await Promise.all(values));
}

async function write(port: EntriesPort, inputs: EntriesInputs, pace: Pace): Promise<void> {
  const { bucket, entries } = inputs;
  const values = await readAll(port, inputs, keysOf(inputs), pace);
  for (const [key, value] of Object.entries(entries)) {
    if (values.get(key) === value) continue;
    try {
      await retry(() => port.put(bucket, key, value), pace);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${nameOf(inputs)}: ${key} can't be written: ${why}`, { cause: error });
    }
  }
}
