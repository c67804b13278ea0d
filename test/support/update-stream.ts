/**
 * A process that updates a stream as the dynamic provider's does, to be killed: reads `{ olds, news }` from
 * stdin, says that it begins.
 */
import { text } from "node:stream/consumers";
import { type StreamInputs, type StreamOutputs, streamProvider } from "../../providers/stream.ts";

const { olds, news } = JSON.parse(await text(process.stdin)) as {
  readonly olds: StreamOutputs;
  readonly news: StreamInputs;
};
console.log("begins");
await streamProvider.update(news.stream, olds, news);
