/** The states of stacks refer to this path. */
export { streamProvider } from "./streams/stream-lifecycle.ts";
