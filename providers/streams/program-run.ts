import { streamKey } from "../../lib/streams/stream-name.ts";
import { isSilence, type JetStreamPort } from "../../live/jetstream/jetstream.ts";
import type { StreamIdentity, StreamInputs } from "./stream-inputs.ts";

/**
 * The streams that the program of this run has registered; a process serves one run. Pulumi tells a provider neither
 * that a stream is being replaced (`up --replace`, `state taint`), nor that a deletion concerns only the old state
 * entry of a replaced stream, from this run or an earlier one. On the servers, both entries are the same stream.
 */
export class ProgramRun {
  readonly #open: (account: string) => JetStreamPort;
  /** The inputs in the state, for each stream of the program; empty for a new one. */
  readonly #streams = new Map<string, Partial<StreamInputs>>();
  readonly #names = new Map<string, Promise<ReadonlySet<string> | undefined>>();

  constructor(open: (account: string) => JetStreamPort) {
    this.#open = open;
  }

  /** @returns the inputs in the state, also for the check of a replacement, which Pulumi calls without them. */
  register(olds: Partial<StreamInputs>, news: StreamIdentity): Partial<StreamInputs> {
    const known = olds.config === undefined ? (this.#streams.get(keyOf(news)) ?? olds) : olds;
    this.#streams.set(keyOf(news), known);
    return known;
  }

  has(stream: StreamIdentity): boolean {
    return this.#streams.has(keyOf(stream));
  }

  /** Whether a stream to be created is this stack's already. */
  isReplacing(stream: StreamIdentity): boolean {
    return this.#streams.get(keyOf(stream))?.config !== undefined;
  }

  /** Names of an account's streams at the start of the run; undefined if JetStream doesn't answer. */
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
