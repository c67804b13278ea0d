/** Every command, each an npm script, and what it does. Needs no packages. */
export const SUMMARIES = {
  start: "set up what is missing, then bring the cluster and its streams up",
  setup: "set up what is missing: Pulumi, its plugins, Docker, the server image",
  plan: "say what settings would come to, without asking or touching anything",
  preview: "show what would change",
  status: "show nodes, streams and where their replicas live",
  drill: "take nodes down for a moment, and see what stays writable",
  destroy: "take everything down again",
  test: "run all checks, on real servers and real Docker",
  chaos: "run the long form of the tests that break things, some three hours",
  bench: "measure up, preview, a move and destroy beside the example's own flow",
  package: "write the package that programs of your own install",
};
