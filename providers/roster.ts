/** The states of stacks refer to this path. */
export { rosterProvider } from "./streams/roster-lifecycle.ts";
