/** What `node cli/bootstrap.mjs --help` prints; every command is also an npm script. */
export const usage = `Usage: npm run <command> [-- options]

  start      set up what is missing, then bring the cluster and its streams up
  setup      set up what is missing: Pulumi, its plugins, Docker, the server image
  plan       say what settings would come to, without asking or touching anything
  preview    show what would change
  status     show nodes, streams and where their replicas live
  drill      take nodes down for a moment, and see what stays writable
  test       run all checks, on real servers and real Docker
  bench      measure up, preview, a move and destroy beside the example's own flow
  package    write the package that programs of your own install
  destroy    take everything down again

Plain Pulumi works too: npx pulumi up, npx pulumi preview, npx pulumi config set …`;
