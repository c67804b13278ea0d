/** Named by the states of stacks. */
export { streamProvider } from "./streams/stream-lifecycle.ts";
