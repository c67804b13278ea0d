/**
 * Preloaded into the program and the dynamic provider: ends a dynamic provider whose CLI was killed. The CLI ends its
 * plugins, but nobody else does: each `up` that was killed left 150 MiB, and perhaps a provider that still changed a
 * stream while the next `up` did (Pulumi 3.259).
 */
const LOOK_MS = 3_000;

// The address at which its CLI listens.
const [, script, cli] = process.argv;
if (script?.endsWith("/@pulumi/pulumi/cmd/dynamic-provider/index.js") && cli?.includes(":")) {
  const { connect } = require("node:net");
  const { hostname, port } = new URL(`tcp://${cli}`);
  const isGone = (/** @type {NodeJS.ErrnoException} */ { code }) => code === "ECONNREFUSED";
  setInterval(() => {
    const socket = connect(Number(port), hostname, () => socket.destroy());
    socket.unref().once("error", (error) => isGone(error) && process.exit(1));
  }, LOOK_MS).unref();
}
