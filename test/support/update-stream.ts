/**
 * A process that updates a stream like the dynamic provider, for tests that kill it: reads `{ connection, olds, news }`
 * from stdin, and prints a line when it begins.
 */
import { text } from "node:stream/consumers";
import type { Connection } from "../../live/jetstream/connection.ts";
import { openJetStream } from "../../live/jetstream/jetstream.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";

const { connection, olds, news } = JSON.parse(await text(process.stdin)) as {
  readonly connection: Connection;
  readonly olds: StreamOutputs;
  readonly news: StreamInputs;
};
console.log("begins");
const lifecycle = streamLifecycle((account) => openJetStream(connection, account));
await lifecycle.update(news.stream, olds, news);
