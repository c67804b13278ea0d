import type { ConsumerPort } from "../../live/jetstream/consumers.ts";
import { isSilence, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import type { ConsumerIdentity, ConsumerInputs } from "./consumer-inputs.ts";

/**
 * The consumers that the program of this run has registered; a process serves one run. Pulumi tells a provider neither
 * that a consumer is being replaced (`up --replace`, `state taint`), nor that a deletion concerns only the old state
 * entry of a replaced one. On the servers, both entries are the same consumer.
 */
export class ConsumerRun {
  readonly #open: (account: string) => ConsumerPort;
  /** The inputs in the state, for each consumer of the program; empty for a new one. */
  readonly #consumers = new Map<string, Partial<ConsumerInputs>>();
  readonly #names = new Map<string, Promise<ReadonlySet<string> | undefined>>();

  constructor(open: (account: string) => ConsumerPort) {
    this.#open = open;
  }

  /** @returns the inputs in the state, also for the check of a replacement, which Pulumi calls without them. */
  register(olds: Partial<ConsumerInputs>, news: ConsumerIdentity): Partial<ConsumerInputs> {
    const known = olds.config === undefined ? (this.#consumers.get(keyOf(news)) ?? olds) : olds;
    this.#consumers.set(keyOf(news), known);
    return known;
  }

  has(consumer: ConsumerIdentity): boolean {
    return this.#consumers.has(keyOf(consumer));
  }

  /** Whether a consumer to be created is this stack's already. */
  isReplacing(consumer: ConsumerIdentity): boolean {
    return this.#consumers.get(keyOf(consumer))?.config !== undefined;
  }

  /** Names of a stream's consumers at the start of the run; undefined if JetStream doesn't answer. */
  namesIn({ account, stream }: ConsumerIdentity): Promise<ReadonlySet<string> | undefined> {
    const key = JSON.stringify([account, stream]);
    const names = this.#names.get(key) ?? listNames(this.#open(account), stream);
    this.#names.set(key, names);
    return names;
  }
}

function keyOf({ account, stream, consumer }: ConsumerIdentity): string {
  return JSON.stringify([account, stream, consumer]);
}

async function listNames(
  port: ConsumerPort,
  stream: string,
): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await port.names(stream));
  } catch (error) {
    if (error instanceof StreamNotFound) return new Set();
    if (isSilence(error)) return undefined;
    throw error;
  }
}
