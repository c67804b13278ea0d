import path from "node:path";

/** Path of the script that writes a node's config and has its server load it. */
export const CONFIGURE_NODE = path.join(import.meta.dirname, "configure-node.sh");
