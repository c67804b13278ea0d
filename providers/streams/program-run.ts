import { streamKey } from "../../lib/streams/stream-name.ts";
import { isSilence, type JetStreamPort } from "../../live/jetstream/jetstream.ts";
import type { StreamIdentity, StreamInputs } from "./stream-inputs.ts";

/**
 * What the program of this run has said of streams; a process serves one run. Pulumi tells a provider neither that
 * a stream is to be replaced (`up --replace`, `state taint`) nor that what it has to delete is the replaced one's
 * entry in the state, by now or left behind by an earlier run: of a stream they are one and the same.
 */
export class ProgramRun {
  readonly #open: (account: string) => JetStreamPort;
  /** What the state has of each stream of the program; empty where it is new. */
  readonly #streams = new Map<string, Partial<StreamInputs>>();
  readonly #names = new Map<string, Promise<ReadonlySet<string> | undefined>>();

  constructor(open: (account: string) => JetStreamPort) {
    this.#open = open;
  }

  /** @returns what the state has of a stream, also where this is the check of its replacement, which isn't told. */
  register(olds: Partial<StreamInputs>, news: StreamIdentity): Partial<StreamInputs> {
    const known = olds.config === undefined ? (this.#streams.get(keyOf(news)) ?? olds) : olds;
    this.#streams.set(keyOf(news), known);
    return known;
  }

  has(stream: StreamIdentity): boolean {
    return this.#streams.has(keyOf(stream));
  }

  /** Whether a stream that is to be created is this stack's already. */
  isReplacing(stream: StreamIdentity): boolean {
    return this.#streams.get(keyOf(stream))?.config !== undefined;
  }

  /** The streams of an account as the run found them; undefined where nobody answers. */
  namesIn(account: string): Promise<ReadonlySet<string> | undefined> {
    const names = this.#names.get(account) ?? listNames(this.#open(account));
    this.#names.set(account, names);
    return names;
  }
}

function keyOf({ account, stream }: StreamIdentity): string {
  return streamKey({ account, name: stream });
}

async function listNames(port: JetStreamPort): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await port.names());
  } catch (error) {
    if (isSilence(error)) return undefined;
    throw error;
  }
}
