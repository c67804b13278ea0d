/** The states of stacks refer to this path. */
export { bucketEntriesProvider } from "./buckets/entries-lifecycle.ts";
