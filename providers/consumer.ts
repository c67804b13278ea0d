/** The states of stacks refer to this path. */
export { consumerProvider } from "./consumers/consumer-lifecycle.ts";
