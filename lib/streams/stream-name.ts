/** Identifies a stream. The meta group counts as a stream of the account `""`. */
export interface StreamName {
  readonly account: string;
  readonly name: string;
}

/** A stream in the settings. */
export interface KeyedStream extends StreamName {
  /**
   * Its key in settings and outputs, and its name in Pulumi. It is the name on the servers too, unless `stream` is
   * set.
   */
  readonly key: string;
}

/** The path of a stream, or of one of its settings, in problems: e.g. `streams.ORDERS.maxAge`. */
export function streamPath({ key }: Pick<KeyedStream, "key">, setting?: string): string {
  return ["streams", key, ...(setting === undefined ? [] : [setting])].join(".");
}

/** Account and name as one string, for keys of maps. */
export function streamKey({ account, name }: StreamName): string {
  return `${account} ${name}`;
}

/** Removes duplicates by account and name. Of each stream the last one is kept. */
export function distinctStreams<Stream extends StreamName>(streams: readonly Stream[]): Stream[] {
  return [...new Map(streams.map((stream) => [streamKey(stream), stream])).values()];
}

/** The streams of the first list that aren't in the second, by account and name. */
export function streamsExcept<Stream extends StreamName>(
  streams: readonly Stream[],
  others: readonly StreamName[],
): Stream[] {
  const keys = new Set(others.map(streamKey));
  return streams.filter((stream) => !keys.has(streamKey(stream)));
}

/** Names streams for users: by name, with the account if they have different ones, e.g. `ORDERS (BILLING)`. */
export function streamNamer(streams: Iterable<StreamName>): (stream: StreamName) => string {
  const accounts = new Set(Array.from(streams, ({ account }) => account).filter(Boolean));
  return ({ account, name }) => (accounts.size > 1 && account ? `${name} (${account})` : name);
}

/** As {@link streamNamer}, but adds the account only to streams that share their name with another. */
export function terseNamer(streams: Iterable<StreamName>): (stream: StreamName) => string {
  const namers = new Map(
    [...Map.groupBy(streams, ({ name }) => name)].map(([name, alike]) => [
      name,
      streamNamer(alike),
    ]),
  );
  return (stream) => namers.get(stream.name)?.(stream) ?? stream.name;
}
