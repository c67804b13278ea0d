/** Named by the states of stacks. */
export { rosterProvider } from "./streams/roster-lifecycle.ts";
