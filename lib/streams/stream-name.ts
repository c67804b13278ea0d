/** What tells a stream from all others. The meta group counts as one, without an account: `""`. */
export interface StreamName {
  readonly account: string;
  readonly name: string;
}

/** A stream of the settings. */
export interface KeyedStream extends StreamName {
  /** What the settings, Pulumi and the stack's outputs call it: its name, unless the settings give it another. */
  readonly key: string;
}

/** Where the settings have a stream, or one of its settings: what problems call it by, e.g. `streams.ORDERS.maxAge`. */
export function streamPath({ key }: Pick<KeyedStream, "key">, setting?: string): string {
  return ["streams", key, ...(setting === undefined ? [] : [setting])].join(".");
}

/** One string for it, e.g. to be the key of a map. */
export function streamKey({ account, name }: StreamName): string {
  return `${account} ${name}`;
}

/** Each stream once, as it came last. */
export function distinctStreams<Stream extends StreamName>(streams: readonly Stream[]): Stream[] {
  return [...new Map(streams.map((stream) => [streamKey(stream), stream])).values()];
}

/** Those of some streams that aren't among others. */
export function notAmong<Stream extends StreamName>(
  streams: readonly Stream[],
  others: readonly StreamName[],
): Stream[] {
  const keys = new Set(others.map(streamKey));
  return streams.filter((stream) => !keys.has(streamKey(stream)));
}

/** How each of some streams is called: by its name, and where they are of several accounts `ORDERS (BILLING)`. */
export function streamNamer(streams: Iterable<StreamName>): (stream: StreamName) => string {
  const accounts = new Set(Array.from(streams, ({ account }) => account).filter(Boolean));
  return ({ account, name }) => (accounts.size > 1 && account ? `${name} (${account})` : name);
}

/** As {@link streamNamer}, with the account of those alone whose name others have, too. */
export function terseNamer(streams: Iterable<StreamName>): (stream: StreamName) => string {
  const namers = new Map(
    [...Map.groupBy(streams, ({ name }) => name)].map(([name, alike]) => [
      name,
      streamNamer(alike),
    ]),
  );
  return (stream) => namers.get(stream.name)?.(stream) ?? stream.name;
}
